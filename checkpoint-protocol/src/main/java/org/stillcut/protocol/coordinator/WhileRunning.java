package org.stillcut.protocol.coordinator;

import java.util.List;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointStarted;
import org.stillcut.protocol.coordinator.JobRecord.CheckpointBegun;
import org.stillcut.protocol.coordinator.JobState.Running;

/** The job runs, and waits for a request or a misfortune. */
final class WhileRunning {
    private WhileRunning() {}

    static Transition on(Running state, JobEvent event) {
        Job job = state.job();
        return switch (event) {
            case JobEvent.CheckpointRequested _ -> begin(job);
            case JobEvent.AgentLost _, JobEvent.AgentConnected _, JobEvent.VmLost _ ->
                Losses.ofExisting(job, event)
                        .map(failure -> WhilePlanning.enter(job, failure))
                        .orElseGet(() -> Transition.to(state));
            case JobEvent.JobExited exited
            when exited.incarnation().equals(job.incarnation()) ->
                WhileEnding.enter(job, new JobExit.Exited(exited.exitStatus()));
            case JobEvent.StopRequested(String reason) -> WhileEnding.enter(job, new JobExit.Cancelled(reason));
            case JobEvent.Reported _,
                    JobEvent.DeadlinePassed _,
                    JobEvent.Watched _,
                    JobEvent.JobExited _,
                    JobEvent.CommitDurable _,
                    JobEvent.CommitRejected _,
                    JobEvent.RestartPlanned _,
                    JobEvent.RestartImpossible _,
                    JobEvent.Recovered _ -> Transition.to(state);
        };
    }

    private static Transition begin(Job job) {
        CheckpointId id = job.nextCheckpoint();
        return WhileCheckpointing.enter(job.begun(id), id)
                .after(List.of(new CheckpointBegun(id)), List.of(new CheckpointStarted(id)));
    }
}
