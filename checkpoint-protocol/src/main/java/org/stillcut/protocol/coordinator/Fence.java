package org.stillcut.protocol.coordinator;

import java.util.Collection;
import java.util.Collections;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.Ordered;

/**
 * What the coordinator knows of agents that a job must not rely on, and of VMs that must not live on.
 *
 * @param lost agents declared lost and not connected since
 * @param doubtful agents that failed to restore, run or abort since the job last ran; better not restarted on
 * @param leftovers where incarnations that are over may still have VMs
 */
public record Fence(
        SortedSet<AgentId> lost, SortedSet<AgentId> doubtful, SortedMap<AgentId, SortedSet<Incarnation>> leftovers) {
    static final Fence NONE = new Fence(Ordered.none(), Ordered.none(), new TreeMap<>());

    public Fence {
        lost = Ordered.set(lost);
        doubtful = Ordered.set(doubtful);
        TreeMap<AgentId, SortedSet<Incarnation>> copy = new TreeMap<>();
        leftovers.forEach((agent, incarnations) -> {
            if (!incarnations.isEmpty()) {
                copy.put(agent, Ordered.set(incarnations));
            }
        });
        leftovers = Collections.unmodifiableSortedMap(copy);
    }

    /** The incarnations that are over and may still have VMs at the agent. */
    SortedSet<Incarnation> leftoversAt(AgentId agent) {
        SortedSet<Incarnation> incarnations = leftovers.get(agent);
        return incarnations == null ? Ordered.none() : incarnations;
    }

    /** The agents that have leftovers and can be told to destroy them. */
    SortedSet<AgentId> destroyers() {
        return Ordered.filter(leftovers.keySet(), agent -> !lost.contains(agent));
    }

    Fence agentLost(AgentId agent) {
        return new Fence(Ordered.plus(lost, Collections.singleton(agent)), doubtful, leftovers);
    }

    /** The agent is back, and what it says it still holds replaces what was feared. */
    Fence agentConnected(AgentId agent, Collection<Incarnation> over) {
        TreeMap<AgentId, SortedSet<Incarnation>> changed = new TreeMap<>(leftovers);
        changed.put(agent, Ordered.set(over));
        return new Fence(Ordered.without(lost, agent), doubtful, changed);
    }

    Fence destroyed(AgentId agent, Incarnation incarnation) {
        TreeMap<AgentId, SortedSet<Incarnation>> changed = new TreeMap<>(leftovers);
        changed.computeIfPresent(agent, (_, held) -> Ordered.without(held, incarnation));
        return new Fence(lost, doubtful, changed);
    }

    /** The incarnation is over at all these agents. */
    Fence over(Incarnation incarnation, Collection<AgentId> agents) {
        TreeMap<AgentId, SortedSet<Incarnation>> changed = new TreeMap<>(leftovers);
        for (AgentId agent : agents) {
            changed.put(agent, Ordered.plus(leftoversAt(agent), Collections.singleton(incarnation)));
        }
        return new Fence(lost, doubtful, changed);
    }

    Fence doubting(Collection<AgentId> agents) {
        return new Fence(lost, Ordered.plus(doubtful, agents), leftovers);
    }

    Fence trusting() {
        return new Fence(lost, Ordered.none(), leftovers);
    }
}
