package org.stillcut.protocol.coordinator;

import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointRefused;
import org.stillcut.protocol.coordinator.JobEffect.Refusal;
import org.stillcut.protocol.coordinator.JobRecord.JobLost;
import org.stillcut.protocol.coordinator.JobState.Lost;

/** The job cannot be restarted by itself. What is left of its VMs is of no use and is destroyed, without waiting for it. */
final class WhileLost {
    private WhileLost() {}

    static Transition enter(Job job, String reason) {
        Job over = job.over();
        return Transition.to(new Lost(over, reason))
                .persisting(new JobLost(reason))
                .then(Fencing.destroyAll(over));
    }

    static Transition on(Lost state, JobEvent event) {
        Job job = state.job();
        return switch (event) {
            case JobEvent.RestartPlanned(CheckpointId from, Placement placement) -> byHand(job, from, placement);
            case JobEvent.StopRequested(String reason) -> WhileEnding.enter(job, new JobExit.Cancelled(reason));
            case JobEvent.Recovered _ -> Transition.to(state).then(Fencing.destroyAll(job));
            case JobEvent.CheckpointRequested _ -> Transition.to(state).then(new CheckpointRefused(Refusal.JOB_OVER));
            case JobEvent.Reported _,
                    JobEvent.DeadlinePassed _,
                    JobEvent.Watched _,
                    JobEvent.AgentLost _,
                    // What it holds of the job is destroyed, as in every state.
                    JobEvent.AgentConnected _,
                    JobEvent.VmLost _,
                    JobEvent.JobExited _,
                    JobEvent.CommitDurable _,
                    JobEvent.CommitRejected _,
                    JobEvent.RestartImpossible _ -> Transition.to(state);
        };
    }

    /** A restart that a person asked for: the restarts are counted anew. */
    static Transition byHand(Job job, CheckpointId from, Placement placement) {
        return WhilePlanning.restart(job.withBudget(job.budget().refilled()), from, placement);
    }
}
