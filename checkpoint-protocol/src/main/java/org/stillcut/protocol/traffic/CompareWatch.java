package org.stillcut.protocol.traffic;

import java.util.Objects;
import java.util.SortedMap;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/**
 * Compares what restored VMs show with what was sealed when their checkpoint was taken. A VM of another checkpoint shows
 * other counters, and the job would hang.
 */
public final class CompareWatch implements TrafficWatch {
    private final SortedMap<VmId, Long> sealed;

    /** @param sealed the digest of each of the job's VMs */
    public CompareWatch(SortedMap<VmId, Long> sealed) {
        this.sealed = Ordered.map(sealed);
    }

    @Override
    public Verdict look(Round round) {
        for (VmTraffic vm : round.vms().values()) {
            if (!vm.frozen()) {
                return new Verdict.Refused(vm.vm() + " runs already");
            }
            if (!Objects.equals(sealed.get(vm.vm()), vm.digest())) {
                return new Verdict.Refused(vm.vm() + " has other connections or counters ("
                        + vm.connections().size() + " connections, digest " + Long.toHexString(vm.digest()) + ")");
            }
        }
        return round.vms().keySet().equals(sealed.keySet())
                ? new Verdict.Good()
                : new Verdict.Refused("VMs " + round.vms().keySet() + " instead of " + sealed.keySet());
    }

    @Override
    public Verdict timeIsUp() {
        return new Verdict.Refused("not all VMs have answered");
    }
}
