package org.stillcut.protocol.coordinator;

import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointRefused;
import org.stillcut.protocol.coordinator.JobEffect.Refusal;
import org.stillcut.protocol.coordinator.JobState.Ended;

/** The job is over. Only a person can bring it back, from one of its checkpoints. */
final class WhileEnded {
    private WhileEnded() {}

    static Transition on(Ended state, JobEvent event) {
        return switch (event) {
            case JobEvent.RestartPlanned(CheckpointId from, Placement placement) ->
                WhileLost.byHand(state.job(), from, placement);
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
                    JobEvent.RestartImpossible _,
                    JobEvent.StopRequested _,
                    JobEvent.Recovered _ -> Transition.to(state);
        };
    }
}
