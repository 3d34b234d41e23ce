package org.stillcut.protocol;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which agent runs which VMs of a job. Each agent named has at least one VM, each VM has one agent, and the VMs are
 * numbered from zero without a gap.
 */
public record Placement(SortedMap<AgentId, SortedSet<VmId>> vmsByAgent) {
    public Placement {
        TreeMap<AgentId, SortedSet<VmId>> copy = new TreeMap<>();
        TreeSet<VmId> seen = new TreeSet<>();
        vmsByAgent.forEach((agent, vms) -> {
            if (vms.isEmpty()) {
                throw new IllegalArgumentException("agent " + agent + " is placed without a VM");
            }
            for (VmId vm : vms) {
                if (!seen.add(vm)) {
                    throw new IllegalArgumentException(vm + " is placed twice, the second time on " + agent);
                }
            }
            copy.put(agent, Ordered.set(vms));
        });
        if (seen.isEmpty()) {
            throw new IllegalArgumentException("a placement needs at least one VM");
        }
        if (seen.last().index() != seen.size() - 1) {
            throw new IllegalArgumentException("VMs are numbered from zero without a gap, not " + seen);
        }
        vmsByAgent = Collections.unmodifiableSortedMap(copy);
    }

    /** The agents that take part in every barrier of the job. */
    public SortedSet<AgentId> agents() {
        return Ordered.set(vmsByAgent.keySet());
    }

    /** The VMs of one agent; empty when it has none. */
    public SortedSet<VmId> vmsOf(AgentId agent) {
        SortedSet<VmId> vms = vmsByAgent.get(agent);
        return vms == null ? Ordered.none() : vms;
    }

    /** All VMs of the job. */
    public SortedSet<VmId> vms() {
        TreeSet<VmId> all = new TreeSet<>();
        vmsByAgent.values().forEach(all::addAll);
        return Collections.unmodifiableSortedSet(all);
    }

    /** The agent whose VM runs {@code mpirun}. */
    public AgentId launcher() {
        for (Map.Entry<AgentId, SortedSet<VmId>> entry : vmsByAgent.entrySet()) {
            if (entry.getValue().contains(VmId.LAUNCHER)) {
                return entry.getKey();
            }
        }
        throw new IllegalStateException("a valid placement has " + VmId.LAUNCHER + ": " + this);
    }
}
