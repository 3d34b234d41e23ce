package org.stillcut.coordinator.membership;

import java.util.SortedMap;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.protocol.VmId;

/**
 * The VMs of one incarnation of a job and what joins them.
 *
 * @param networkId of this incarnation alone, so that two incarnations cannot reach each other
 * @param lazyRestore whether restored VMs may run before their RAM is there
 */
public record Gang(JobDescription description, int networkId, SortedMap<VmId, Member> members, boolean lazyRestore) {
    /** Where a VM is: the node, and the node's end of the tunnels. */
    public record Member(String node, String dataAddress) {}
}
