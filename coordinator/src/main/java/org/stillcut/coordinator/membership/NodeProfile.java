package org.stillcut.coordinator.membership;

import java.util.List;
import org.stillcut.protocol.AgentId;

/**
 * What a node offers, as its agent said when it joined.
 *
 * @param dataAddress of the node's end of the tunnels between VMs
 * @param vcpuSlots virtual CPUs its VMs may have in all
 * @param memoryBytes guest memory its VMs may have in all
 * @param accelerator "kvm" or "tcg"
 * @param tracker "write-protection" or "all-pages": how changed pages of RAM are found
 * @param images names of its guest images; empty: it did not say
 * @param machines that its VMs can have, best first; empty: not known
 * @param repository identity of the repository it writes to; empty: it did not say
 */
public record NodeProfile(
        AgentId agent,
        String dataAddress,
        int vcpuSlots,
        long memoryBytes,
        String accelerator,
        String acceleratorReason,
        String tracker,
        String trackerReason,
        String qemuVersion,
        String agentVersion,
        List<String> images,
        List<String> machines,
        String repository) {
    public NodeProfile {
        images = List.copyOf(images);
        machines = List.copyOf(machines);
        if (vcpuSlots < 1 || memoryBytes < 1) {
            throw new IllegalArgumentException(
                    "node " + agent + " offers " + vcpuSlots + " vCPU slots and " + memoryBytes + " bytes of memory");
        }
    }
}
