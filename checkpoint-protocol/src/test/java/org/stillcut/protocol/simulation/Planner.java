package org.stillcut.protocol.simulation;

import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.coordinator.JobEvent;

/** Finds places for VMs, and a checkpoint to restart from. */
final class Planner {
    private final Simulation simulation;

    Planner(Simulation simulation) {
        this.simulation = simulation;
    }

    Optional<JobEvent.RestartPlanned> plan(
            JobId job, SortedSet<CheckpointId> distrusted, SortedSet<AgentId> lost, SortedSet<AgentId> doubtful) {
        List<AgentId> usable = simulation.agents().stream()
                .filter(agent -> simulation.network().isOpen(agent) && !lost.contains(agent))
                .toList();
        List<AgentId> good =
                usable.stream().filter(agent -> !doubtful.contains(agent)).toList();
        List<AgentId> chosen = good.isEmpty() ? usable : good;
        if (chosen.isEmpty()) {
            return Optional.empty();
        }
        return simulation
                .repository()
                .newest(job, distrusted)
                .map(from -> new JobEvent.RestartPlanned(from, place(chosen, simulation.vmCount(job))));
    }

    /** Every VM anywhere, at random. */
    Placement place(List<AgentId> agents, int vmCount) {
        SortedMap<AgentId, SortedSet<VmId>> placement = new TreeMap<>();
        for (int index = 0; index < vmCount; index++) {
            AgentId agent = simulation.chance().oneOf(agents);
            placement.computeIfAbsent(agent, _ -> new TreeSet<>()).add(new VmId(index));
        }
        return new Placement(placement);
    }
}
