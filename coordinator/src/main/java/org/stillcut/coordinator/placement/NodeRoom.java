package org.stillcut.coordinator.placement;

import org.stillcut.protocol.AgentId;

/** What a node has left. */
public record NodeRoom(AgentId agent, int freeVcpuSlots, long freeMemoryBytes) {
    /** The same node, when a job may have only so many VMs there; 0: as many as fit. */
    public NodeRoom atMost(int vms, int vcpusPerVm) {
        return vms == 0
                ? this
                : new NodeRoom(
                        agent,
                        (int) Math.min(freeVcpuSlots, Math.min(Integer.MAX_VALUE, (long) vms * vcpusPerVm)),
                        freeMemoryBytes);
    }

    int fits(int vcpusPerVm, long memoryBytesPerVm) {
        long bySlots = Math.max(0, freeVcpuSlots) / vcpusPerVm;
        long byMemory = Math.max(0, freeMemoryBytes) / memoryBytesPerVm;
        return (int) Math.min(bySlots, byMemory);
    }
}
