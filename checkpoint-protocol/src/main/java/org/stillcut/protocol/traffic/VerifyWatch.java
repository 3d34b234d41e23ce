package org.stillcut.protocol.traffic;

import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/**
 * Proves of a frozen job that nothing is on the wire: every byte sent has been received, nothing is left to be sent but
 * behind a window that stays closed, everything is acknowledged, so that no retransmission is pending, and both ends of
 * every connection are in the job. Nobody is left who could change that, so it stays true until the job is thawed.
 *
 * <p>The first round may show each VM as it was when it had just been frozen, though others were not yet. That nothing is on the wire
 * then holds all the same; what such a round shows of a VM need not last, as another end may have been closed since. So the
 * round to be sealed is one that began when all were frozen: the one after the first that was good.
 */
public final class VerifyWatch implements TrafficWatch {
    private final Stalls stalls = new Stalls();
    private @Nullable Round proven;
    private boolean isFirstOver;
    private String waitingFor = "no VM has answered";

    @Override
    public Verdict look(Round round) {
        for (VmTraffic vm : round.vms().values()) {
            if (!vm.frozen()) {
                return new Verdict.Refused(vm.vm() + " is not frozen any more: its lease has run out");
            }
        }
        // What stalled before all were frozen may have gone on since: the first round may be that early for some of the
        // VMs.
        if (isFirstOver) {
            stalls.note(round);
        }
        isFirstOver = true;
        Optional<String> trouble = Wire.underWay(round, round, stalls);
        if (trouble.isEmpty()) {
            proven = round;
            return new Verdict.Good();
        }
        waitingFor = trouble.get();
        return new Verdict.Open(waitingFor);
    }

    @Override
    public Verdict timeIsUp() {
        return new Verdict.Refused(waitingFor);
    }

    /** What was seen when the proof succeeded. */
    private Round proven() {
        Round seen = proven;
        if (seen == null) {
            throw new IllegalStateException("nothing was proven: " + waitingFor);
        }
        return seen;
    }

    /** What the VMs will show again when they are restored, by VM. */
    public SortedMap<VmId, Long> digests() {
        SortedMap<VmId, Long> digests = new TreeMap<>();
        proven().vms().forEach((vm, look) -> digests.put(vm, look.digest()));
        return digests;
    }

    /** Connections of the job, each counted once. */
    public int connections() {
        int ends = proven().vms().values().stream()
                .mapToInt(vm -> vm.connections().size())
                .sum();
        return (ends + 1) / 2;
    }

    /** Bytes in send buffers that were never sent. */
    public long bytesUnsent() {
        return proven().vms().values().stream()
                .mapToLong(VmTraffic::bytesUnsent)
                .sum();
    }

    /** Bytes in receive buffers that the job has not read. */
    public long bytesUnread() {
        return proven().vms().values().stream()
                .mapToLong(VmTraffic::bytesUnread)
                .sum();
    }
}
