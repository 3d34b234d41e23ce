package org.stillcut.coordinator.placement;

import org.stillcut.protocol.AgentId;

/** What a node has left. */
public record NodeRoom(AgentId agent, int freeVcpuSlots, long freeMemoryBytes) {
    int fits(int vcpusPerVm, long memoryBytesPerVm) {
        long bySlots = Math.max(0, freeVcpuSlots) / vcpusPerVm;
        long byMemory = Math.max(0, freeMemoryBytes) / memoryBytesPerVm;
        return (int) Math.min(bySlots, byMemory);
    }
}
