package org.stillcut.protocol.coordinator;

import java.util.List;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointRefused;
import org.stillcut.protocol.coordinator.JobEffect.Refusal;
import org.stillcut.protocol.coordinator.JobState.Aborting;
import org.stillcut.protocol.coordinator.JobState.Running;

/**
 * A checkpoint is undone at every agent, also at those that had not begun it. An agent that cannot undo it may have
 * paused VMs: then the job cannot go on and is restarted.
 */
final class WhileAborting {
    private WhileAborting() {}

    static Transition enter(Job job, CheckpointId id, CheckpointFailure failure) {
        return drive(new Aborting(job, id, failure, job.placement().agents()));
    }

    private static Transition drive(Aborting state) {
        return Settling.aborted(state.id(), state.failure(), Barriers.open(state));
    }

    static Transition on(Aborting state, JobEvent event) {
        Job job = state.job();
        return switch (event) {
            case JobEvent.Reported(Report report) when Barriers.isAnswer(state, report) -> answered(state, report);
            case JobEvent.DeadlinePassed passed
            when Barriers.isDue(state, passed) ->
                restart(
                        state,
                        job.doubting(state.awaited()),
                        new CheckpointFailure.DeadlinePassed(Step.ABORT, state.awaited()));
            case JobEvent.AgentLost _, JobEvent.VmLost _ ->
                Losses.ofExisting(job, event)
                        .map(loss -> restart(state, job, loss))
                        .orElseGet(() -> Transition.to(state));
            case JobEvent.AgentConnected connected ->
                Losses.ofExisting(job, event)
                        .map(loss -> restart(state, job, loss))
                        .orElseGet(() -> Barriers.sendAgain(state, connected.agent()));
            case JobEvent.JobExited exited
            when exited.incarnation().equals(job.incarnation()) -> end(state, new JobExit.Exited(exited.exitStatus()));
            case JobEvent.StopRequested(String reason) -> end(state, new JobExit.Cancelled(reason));
            case JobEvent.Recovered _ -> drive(state);
            case JobEvent.CheckpointRequested _ -> Transition.to(state).then(new CheckpointRefused(Refusal.BUSY));
            case JobEvent.Reported _,
                    JobEvent.DeadlinePassed _,
                    JobEvent.Watched _,
                    JobEvent.JobExited _,
                    JobEvent.CommitDurable _,
                    JobEvent.CommitRejected _,
                    JobEvent.RestartPlanned _,
                    JobEvent.RestartImpossible _ -> Transition.to(state);
        };
    }

    private static Transition answered(Aborting state, Report report) {
        return switch (report) {
            case Report.Failed failed ->
                restart(state, state.job().doubting(List.of(failed.agent())), failed.failure());
            case Report.Done done -> {
                Aborting rest = state.withAwaited(Ordered.without(state.awaited(), done.agent()));
                yield rest.awaited().isEmpty()
                        ? Barriers.leave(state, Transition.to(new Running(state.job())))
                        : Transition.to(rest);
            }
        };
    }

    private static Transition restart(Aborting state, Job job, CheckpointFailure failure) {
        return Barriers.leave(state, WhilePlanning.enter(job, failure));
    }

    private static Transition end(Aborting state, JobExit exit) {
        return Barriers.leave(state, WhileEnding.enter(state.job(), exit));
    }
}
