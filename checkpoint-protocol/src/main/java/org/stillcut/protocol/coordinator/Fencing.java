package org.stillcut.protocol.coordinator;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.coordinator.JobEffect.Send;
import org.stillcut.protocol.coordinator.JobState.Barrier;

/** The destruction of incarnations that are over, in whichever state the job is. */
final class Fencing {
    private Fencing() {}

    /** The state with what the event tells about agents and leftovers; the state's own handler sees this one. */
    static JobState note(JobState state, JobEvent event) {
        Fence fence = state.job().fence();
        Fence noted = switch (event) {
            case JobEvent.AgentLost(AgentId agent) -> fence.agentLost(agent);
            case JobEvent.AgentConnected(AgentId agent, SortedSet<Incarnation> held) ->
                fence.agentConnected(agent, Ordered.filter(held, incarnation -> isOver(state, incarnation)));
            case JobEvent.Reported(Report.Done done)
            when done.key().step() == Step.DESTROY ->
                fence.destroyed(done.agent(), done.key().incarnation());
            case JobEvent.Reported _,
                    JobEvent.CheckpointRequested _,
                    JobEvent.DeadlinePassed _,
                    JobEvent.Watched _,
                    JobEvent.VmLost _,
                    JobEvent.JobExited _,
                    JobEvent.CommitDurable _,
                    JobEvent.CommitRejected _,
                    JobEvent.RestartPlanned _,
                    JobEvent.RestartImpossible _,
                    JobEvent.StopRequested _,
                    JobEvent.Recovered _ -> fence;
        };
        return noted.equals(fence) ? state : state.withJob(state.job().withFence(noted));
    }

    /** Whether the incarnation is to be destroyed wherever it is met. */
    private static boolean isOver(JobState state, Incarnation incarnation) {
        if (!incarnation.job().equals(state.job().id())) {
            return false;
        }
        return switch (state.phase()) {
            case ENDING, ENDED, LOST -> true;
            case STARTING, RUNNING, CHECKPOINTING, COMMITTING, ABORTING, PLANNING, RESTARTING ->
                incarnation.epoch() < state.job().epoch();
        };
    }

    static List<Send> destroy(Job job, AgentId agent) {
        return job.fence().leftoversAt(agent).stream()
                .map(incarnation -> new Send(agent, Command.destroy(incarnation)))
                .toList();
    }

    static List<Send> destroyAll(Job job) {
        List<Send> sends = new ArrayList<>();
        for (AgentId agent : job.fence().destroyers()) {
            sends.addAll(destroy(job, agent));
        }
        return sends;
    }

    /**
     * Who is still awaited in a {@link Step#DESTROY} barrier after an event that {@link #note} has seen. Destroying asks
     * for no agreement: an agent that is lost, fails, or lets the deadline pass is fenced by the epoch instead, and is
     * told again when it connects.
     */
    static SortedSet<AgentId> stillAwaited(Barrier barrier, JobEvent event) {
        SortedSet<AgentId> destroyers = barrier.job().fence().destroyers();
        SortedSet<AgentId> awaited = Ordered.filter(barrier.awaited(), agent -> destroyers.contains(agent));
        return switch (event) {
            case JobEvent.Reported(Report.Failed failed)
            when failed.key().step() == Step.DESTROY -> Ordered.without(awaited, failed.agent());
            case JobEvent.DeadlinePassed passed when Barriers.isDue(barrier, passed) -> Ordered.none();
            case JobEvent.Reported _,
                    JobEvent.DeadlinePassed _,
                    JobEvent.Watched _,
                    JobEvent.AgentLost _,
                    JobEvent.AgentConnected _,
                    JobEvent.CheckpointRequested _,
                    JobEvent.VmLost _,
                    JobEvent.JobExited _,
                    JobEvent.CommitDurable _,
                    JobEvent.CommitRejected _,
                    JobEvent.RestartPlanned _,
                    JobEvent.RestartImpossible _,
                    JobEvent.StopRequested _,
                    JobEvent.Recovered _ -> awaited;
        };
    }
}
