package org.stillcut.protocol.traffic;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/**
 * Waits until the traffic of a job whose ranks are held at their MPI calls has come to rest.
 *
 * <p>It has when nothing is under way between two rounds, everything is acknowledged, and every VM is at rest: all its
 * ranks parked with nothing unread, or nothing in it changed for {@link #UNCHANGED}. The second is for ranks that compute,
 * and for those that spin in a call for the sake of a parked one. That the counters agree in two rounds is not enough: on a
 * busy host a rank may simply not have had its turn between them.
 *
 * <p>Processes that use MPI and cannot be held would keep the traffic up for ever, so they are not waited for: with them, as
 * at the end of the time, the freeze alone must do.
 *
 * <p>The end of the time is not a failure: frozen, the job comes to rest all the same, with more in its kernels' buffers.
 */
public final class DrainWatch implements TrafficWatch {
    static final Duration UNCHANGED = Duration.ofMillis(25);

    private final Stillness<VmId> still = new Stillness<>();
    private final Stalls stalls = new Stalls();
    private @Nullable Round older;
    private String waitingFor = "no VM has answered";
    private Optional<String> forced = Optional.empty();
    private Optional<String> notHeld = Optional.empty();

    private record Sight(
            int parked, int inCall, int outside, long calls, long moved, long unread, long unsent, int connections) {}

    @Override
    public Verdict look(Round round) {
        notHeld = round.vms().values().stream()
                .filter(vm -> !vm.notHeld().isEmpty())
                .map(vm -> vm.vm() + ": " + String.join(", ", vm.notHeld()))
                .findFirst();
        if (notHeld.isPresent()) {
            return new Verdict.Good();
        }
        for (VmTraffic vm : round.vms().values()) {
            if (!vm.gateClosed()) {
                return new Verdict.Refused(vm.vm() + " lets its ranks pass again: its lease has run out");
            }
        }
        Optional<String> trouble = trouble(round);
        older = round;
        trouble.ifPresent(what -> waitingFor = what);
        return trouble.<Verdict>map(Verdict.Open::new).orElseGet(Verdict.Good::new);
    }

    private Optional<String> trouble(Round round) {
        stalls.note(round);
        still.nextRound();
        Optional<String> unrest = Optional.empty();
        for (VmTraffic vm : round.vms().values()) {
            // Each has to be noted, also when one before it is not at rest.
            Optional<String> found = unrest(vm);
            unrest = unrest.isPresent() ? unrest : found;
        }
        Round before = older;
        if (before == null) {
            return Optional.of("one round alone tells nothing");
        }
        Optional<String> underWay = Wire.underWay(before, round, stalls);
        return underWay.isPresent() ? underWay : unrest;
    }

    private Optional<String> unrest(VmTraffic vm) {
        Sight sight = new Sight(
                vm.parked(),
                vm.inCall(),
                vm.outside(),
                vm.calls(),
                vm.bytesMoved(),
                vm.bytesUnread(),
                vm.bytesUnsent(),
                vm.connections().size());
        boolean unchanged = still.note(vm.vm(), sight, vm.monotonicNanos()).compareTo(UNCHANGED) >= 0;
        if (unchanged || (vm.allParked() && vm.bytesUnread() == 0)) {
            return Optional.empty();
        }
        return Optional.of(
                vm.allParked()
                        ? vm.vm() + ": " + vm.bytesUnread() + " bytes are not read yet"
                        : vm.vm() + ": " + vm.inCall() + " threads are in MPI calls, " + vm.outside() + " compute");
    }

    @Override
    public Verdict timeIsUp() {
        forced = Optional.of(waitingFor);
        return new Verdict.Good();
    }

    /** Which processes cannot be held at their MPI calls, if there are some. */
    public Optional<String> notHeld() {
        return notHeld;
    }

    /** What the traffic was still busy with when the time was over; empty if it came to rest. */
    public Optional<String> forced() {
        return forced;
    }
}
