package org.stillcut.protocol.coordinator;

import java.util.SortedMap;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointRefused;
import org.stillcut.protocol.coordinator.JobEffect.Refusal;
import org.stillcut.protocol.coordinator.JobEffect.WriteCommit;
import org.stillcut.protocol.coordinator.JobRecord.JobEnded;
import org.stillcut.protocol.coordinator.JobState.Committing;
import org.stillcut.protocol.coordinator.JobState.Running;

/**
 * The commit record is on its way to the repository, and nobody can say whether the checkpoint exists. No agent is asked
 * for anything, and there is no deadline: the shell answers, or dies and finds out when it recovers.
 */
final class WhileCommitting {
    private WhileCommitting() {}

    static Transition enter(Job job, CheckpointId id, SortedMap<VmId, SnapshotRef> snapshots) {
        return Transition.to(new Committing(job, id, snapshots, new Sequel.GoOn()))
                .then(new WriteCommit(id, snapshots));
    }

    static Transition on(Committing state, JobEvent event) {
        return switch (event) {
            case JobEvent.CommitDurable(CheckpointId id)
            when id.equals(state.id()) ->
                Settling.committed(id, goOn(state, state.job().committed(id)));
            case JobEvent.CommitRejected(CheckpointId id, String reason)
            when id.equals(state.id()) -> rejected(state, new CheckpointFailure.CommitFailed(reason));
            case JobEvent.AgentLost _, JobEvent.AgentConnected _, JobEvent.VmLost _ ->
                Losses.ofExisting(state.job(), event)
                        .map(loss -> lost(state, loss))
                        .orElseGet(() -> Transition.to(state));
            case JobEvent.JobExited exited
            when exited.incarnation().equals(state.job().incarnation()) -> exited(state, exited.exitStatus());
            case JobEvent.StopRequested(String reason) -> ended(state, new JobExit.Cancelled(reason));
            case JobEvent.CheckpointRequested _ -> Transition.to(state).then(new CheckpointRefused(Refusal.BUSY));
            case JobEvent.CommitDurable _,
                    JobEvent.CommitRejected _,
                    JobEvent.Reported _,
                    JobEvent.DeadlinePassed _,
                    JobEvent.Watched _,
                    JobEvent.JobExited _,
                    JobEvent.RestartPlanned _,
                    JobEvent.RestartImpossible _,
                    // Recovery never rebuilds this state: by then the repository tells whether the checkpoint exists.
                    JobEvent.Recovered _ -> Transition.to(state);
        };
    }

    private static Transition goOn(Committing state, Job job) {
        return switch (state.sequel()) {
            case Sequel.GoOn _ -> Transition.to(new Running(job));
            case Sequel.Restart(CheckpointFailure reason) -> WhilePlanning.enter(job, reason);
            case Sequel.End(JobExit exit) -> WhileEnding.enter(job, exit);
        };
    }

    private static Transition rejected(Committing state, CheckpointFailure failure) {
        return switch (state.sequel()) {
            case Sequel.GoOn _ -> WhileAborting.enter(state.job(), state.id(), failure);
            case Sequel.Restart _, Sequel.End _ -> Settling.aborted(state.id(), failure, goOn(state, state.job()));
        };
    }

    private static Transition lost(Committing state, CheckpointFailure loss) {
        return switch (state.sequel()) {
            case Sequel.GoOn _ -> Transition.to(state.withSequel(new Sequel.Restart(loss)));
            case Sequel.Restart _, Sequel.End _ -> Transition.to(state);
        };
    }

    private static Transition exited(Committing state, int status) {
        return switch (state.sequel()) {
            case Sequel.Restart _ when !WhilePlanning.endsBrokenJob(status) -> Transition.to(state);
            case Sequel.Restart _, Sequel.GoOn _, Sequel.End _ -> ended(state, new JobExit.Exited(status));
        };
    }

    /** The end is on record at once, so that it holds even if the coordinator dies before the commit is decided. */
    private static Transition ended(Committing state, JobExit exit) {
        return switch (state.sequel()) {
            case Sequel.End _ -> Transition.to(state);
            case Sequel.GoOn _, Sequel.Restart _ ->
                Transition.to(state.withSequel(new Sequel.End(exit))).persisting(new JobEnded(exit));
        };
    }
}
