package org.stillcut.protocol.traffic;

import org.jspecify.annotations.Nullable;
import org.stillcut.protocol.VmTraffic;

/**
 * Looks for a sign of life after a restart: a rank has completed a call, a rank computes, or bytes have moved. Silence is
 * what a broken cut looks like, so a job that shows none of it in time has not been restarted.
 *
 * <p>Ranks that the gate does not hold are not seen in or outside calls. Of a job of such ranks alone silence proves
 * nothing, and it is given the benefit of the doubt.
 */
public final class ProgressWatch implements TrafficWatch {
    private @Nullable Round first;
    private @Nullable Round last;

    @Override
    public Verdict look(Round round) {
        Round before = first;
        last = round;
        if (before == null) {
            first = round;
        }
        for (VmTraffic vm : round.vms().values()) {
            VmTraffic then = before == null ? null : before.vms().get(vm.vm());
            boolean moved = then != null && (vm.calls() != then.calls() || vm.bytesMoved() != then.bytesMoved());
            if (moved || vm.outside() > 0) {
                return new Verdict.Good();
            }
        }
        return new Verdict.Open("no rank has made a call");
    }

    @Override
    public Verdict timeIsUp() {
        Round seen = last;
        if (seen == null) {
            return new Verdict.Refused("not all VMs have answered");
        }
        long waiting = seen.vms().values().stream()
                .mapToLong(vm -> (long) vm.inCall() + vm.parked())
                .sum();
        return waiting == 0
                ? new Verdict.Good()
                : new Verdict.Refused(waiting + " threads wait in MPI calls, and not a byte moves");
    }
}
