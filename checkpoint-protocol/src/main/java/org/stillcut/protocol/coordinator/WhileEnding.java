package org.stillcut.protocol.coordinator;

import java.util.List;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointRefused;
import org.stillcut.protocol.coordinator.JobEffect.Refusal;
import org.stillcut.protocol.coordinator.JobRecord.JobClosed;
import org.stillcut.protocol.coordinator.JobRecord.JobEnded;
import org.stillcut.protocol.coordinator.JobState.Ended;
import org.stillcut.protocol.coordinator.JobState.Ending;

/** The job is over; its VMs are destroyed where they can be reached. */
final class WhileEnding {
    private WhileEnding() {}

    static Transition enter(Job job, JobExit exit) {
        return destroy(ending(job, exit)).after(List.of(new JobEnded(exit)), List.of());
    }

    static Ending ending(Job job, JobExit exit) {
        Job over = job.over();
        return new Ending(over, exit, over.fence().destroyers());
    }

    private static Transition destroy(Ending state) {
        return state.awaited().isEmpty() ? ended(state) : Barriers.open(state);
    }

    static Transition on(Ending state, JobEvent event) {
        return switch (event) {
            case JobEvent.Reported _, JobEvent.DeadlinePassed _, JobEvent.AgentLost _, JobEvent.AgentConnected _ ->
                destroyed(state, event);
            case JobEvent.Recovered _ -> destroy(state);
            case JobEvent.CheckpointRequested _ -> Transition.to(state).then(new CheckpointRefused(Refusal.JOB_OVER));
            case JobEvent.VmLost _,
                    JobEvent.Watched _,
                    JobEvent.JobExited _,
                    JobEvent.CommitDurable _,
                    JobEvent.CommitRejected _,
                    JobEvent.RestartPlanned _,
                    JobEvent.RestartImpossible _,
                    JobEvent.StopRequested _ -> Transition.to(state);
        };
    }

    private static Transition destroyed(Ending state, JobEvent event) {
        Ending rest = state.withAwaited(Fencing.stillAwaited(state, event));
        if (!rest.awaited().isEmpty()) {
            return Transition.to(rest);
        }
        return Barriers.leave(state, ended(rest));
    }

    private static Transition ended(Ending state) {
        return Transition.to(new Ended(state.job(), state.exit())).persisting(new JobClosed());
    }
}
