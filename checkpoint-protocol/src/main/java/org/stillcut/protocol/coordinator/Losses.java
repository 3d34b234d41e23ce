package org.stillcut.protocol.coordinator;

import java.util.Optional;
import java.util.SortedSet;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.coordinator.JobState.Barrier;

/** Finds out of an event whether a part of the present incarnation is gone, so that it cannot go on. */
final class Losses {
    private Losses() {}

    /** For an incarnation whose VMs all exist: an agent that connects without them has lost them. */
    static Optional<CheckpointFailure> ofExisting(Job job, JobEvent event) {
        return switch (event) {
            case JobEvent.AgentLost(AgentId agent)
            when job.places(agent) -> Optional.of(new CheckpointFailure.AgentLost(agent));
            case JobEvent.AgentConnected(AgentId agent, SortedSet<Incarnation> held)
            when job.places(agent) && !held.contains(job.incarnation()) ->
                Optional.of(new CheckpointFailure.AgentLost(agent));
            case JobEvent.VmLost(AgentId agent, Incarnation incarnation, VmId vm, String reason)
            when incarnation.equals(job.incarnation()) -> Optional.of(new CheckpointFailure.VmLost(agent, vm, reason));
            case JobEvent.AgentLost _,
                    JobEvent.AgentConnected _,
                    JobEvent.VmLost _,
                    JobEvent.CheckpointRequested _,
                    JobEvent.Reported _,
                    JobEvent.DeadlinePassed _,
                    JobEvent.Watched _,
                    JobEvent.JobExited _,
                    JobEvent.CommitDurable _,
                    JobEvent.CommitRejected _,
                    JobEvent.RestartPlanned _,
                    JobEvent.RestartImpossible _,
                    JobEvent.StopRequested _,
                    JobEvent.Recovered _ -> Optional.empty();
        };
    }

    /** For an incarnation being made: an agent that is still awaited may well connect without its VMs. */
    static Optional<CheckpointFailure> ofBeingMade(Barrier barrier, JobEvent event) {
        if (event instanceof JobEvent.AgentConnected connected
                && barrier.awaited().contains(connected.agent())) {
            return Optional.empty();
        }
        return ofExisting(barrier.job(), event);
    }
}
