package org.stillcut.agent.gang;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.stillcut.agent.guest.GuestChannel;
import org.stillcut.agent.guest.GuestCounters;
import org.stillcut.agent.guest.GuestException;
import org.stillcut.agent.guest.GuestGate;
import org.stillcut.agent.guest.GuestProcesses;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.traffic.VmTraffic;

/** How the job in one VM is brought to rest, looked at, and let go on. Looks may come while another step is done. */
final class VmQuiesce {
    /** Longer than the steps between two renewals may take, so that it runs out only when nobody is left to go on. */
    private static final Duration LEASE = Duration.ofSeconds(15);

    private static final Duration FREEZE = Duration.ofSeconds(5);

    private final VmId vm;
    private final GuestChannel guest;
    private final GuestGate gate;
    private final boolean gated;
    private volatile List<String> notHeld = List.of();

    /** @param gated whether ranks are to be held at their MPI calls */
    VmQuiesce(VmId vm, GuestChannel guest, boolean gated) {
        this.vm = vm;
        this.guest = guest;
        this.gate = new GuestGate(guest);
        this.gated = gated;
    }

    /** Refuses a job that cannot be checkpointed now, with the reason. */
    void requireEligible() throws StepException, GuestException {
        GuestProcesses processes = gate.processes();
        if (processes.obstacle().isPresent()) {
            throw new StepException(vm + ": " + processes.obstacle().get());
        }
        notHeld = processes.notHeld();
    }

    void hold() throws GuestException {
        renewLease();
        if (gated && !gate.close()) {
            notHeld = List.of("its guest has no gate");
        }
    }

    void freeze() throws GuestException {
        renewLease();
        guest.freeze(FREEZE);
    }

    private void renewLease() throws GuestException {
        gate.lease(LEASE);
    }

    /** Renews the lease of a job that was proven to be at rest: it must have been frozen since. */
    void renewFrozenLease() throws GuestException {
        gate.leaseFrozen(LEASE);
    }

    /** What remains of the lease in the image must not let the job go on before it was compared. */
    void keepFrozen() throws GuestException {
        gate.restored();
    }

    void letGo() throws GuestException {
        gate.open();
    }

    void letGo(Instant now) throws GuestException {
        gate.open(now);
    }

    VmTraffic look(boolean digest) throws GuestException {
        GuestCounters counters = digest ? gate.countersWithDigest() : gate.counters();
        List<String> unheld =
                Stream.concat(notHeld.stream(), counters.notHeld().stream()).toList();
        return new VmTraffic(
                vm,
                counters.monotonicNanos(),
                counters.gateClosed(),
                counters.frozen(),
                counters.restored(),
                counters.parked(),
                counters.inCall(),
                counters.outside(),
                counters.calls(),
                unheld,
                counters.connections(),
                counters.digest().orElse(0L));
    }
}
