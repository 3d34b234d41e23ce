package org.stillcut.agent.gang;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.stillcut.agent.guest.GuestCall;
import org.stillcut.agent.guest.GuestChannel;
import org.stillcut.agent.guest.GuestCounters;
import org.stillcut.agent.guest.GuestException;
import org.stillcut.agent.guest.GuestGate;
import org.stillcut.agent.guest.GuestProcesses;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/** How the job in one VM is brought to rest, looked at, and let go on. Looks may come while another step is done. */
final class VmQuiesce {
    /** Longer than the steps between two renewals may take, so that it runs out only when nobody is left to go on. */
    private static final Duration LEASE = Duration.ofSeconds(15);

    private static final Duration FREEZE = Duration.ofSeconds(5);

    private final VmId vm;
    private final GuestGate gate;
    private final boolean gated;
    private volatile List<String> notHeld = List.of();

    /** @param gated whether ranks are to be held at their MPI calls */
    VmQuiesce(VmId vm, GuestChannel guest, boolean gated) {
        this.vm = vm;
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

    /** Holds the job's ranks at their calls, if they are to be held; shows what it looks like then. */
    VmTraffic hold() throws GuestException {
        GuestCounters counters = gate.hold(LEASE, gated);
        if (gated && !counters.gateClosed()) {
            notHeld = List.of("its guest has no gate");
        }
        return traffic(counters);
    }

    VmTraffic freeze() throws GuestException {
        return traffic(gate.freeze(LEASE, FREEZE));
    }

    /** Renews the lease of a job at rest, which must have been frozen since; shows what is sealed if the VM is stopped next. */
    VmTraffic seal() throws GuestException {
        return traffic(gate.renewFrozen(LEASE));
    }

    /** What remains of the lease in the image must not let the job go on before it was compared. */
    void keepFrozen() throws GuestException {
        gate.restored();
    }

    /** Lets the job go on, as soon as the VM runs; to be awaited. */
    GuestCall askToLetGo() throws GuestException {
        return gate.askOpen();
    }

    void letGo() throws GuestException {
        gate.open();
    }

    void letGo(Instant now) throws GuestException {
        gate.open(now);
    }

    VmTraffic look(boolean digest) throws GuestException {
        return traffic(gate.counters(digest));
    }

    private VmTraffic traffic(GuestCounters counters) {
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
