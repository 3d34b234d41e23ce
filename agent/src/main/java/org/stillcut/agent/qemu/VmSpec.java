package org.stillcut.agent.qemu;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that makes up a VM. A restore needs the spec of the saved VM again: the same machine, disks and card in the
 * same order; paths, namespace, tap and environment may differ.
 *
 * @param name for instance {@code vm0}; also in every error message
 * @param boot empty for a VM that only runs its firmware, as tests of the mechanics do
 * @param disks the writable disks, in their order on the bus
 * @param nic empty for a VM without network
 * @param environment variables for the QEMU process in addition to the agent's own, for instance a preloaded library
 */
public record VmSpec(
        String name,
        VmMachine machine,
        Optional<VmBoot> boot,
        List<VmDisk> disks,
        Optional<VmNic> nic,
        VmFiles files,
        Map<String, String> environment) {

    /** PCI slots that the command line keeps for disks. */
    static final int DISKS_LIMIT = 8;

    public VmSpec {
        disks = List.copyOf(disks);
        environment = Map.copyOf(environment);
        if (disks.size() > DISKS_LIMIT) {
            throw new IllegalArgumentException(name + ": at most " + DISKS_LIMIT + " disks, not " + disks.size());
        }
    }
}
