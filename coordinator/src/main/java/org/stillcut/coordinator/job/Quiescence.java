package org.stillcut.coordinator.job;

import java.util.Map;
import java.util.SortedMap;
import org.stillcut.protocol.Ordered;

/**
 * How the traffic of a job was brought to rest for a checkpoint, and what was seen when it was proven to be at rest.
 *
 * @param gated whether all ranks were held at their MPI calls; otherwise the freeze alone brought the traffic to rest
 * @param notGatedBecause for a person; empty if gated
 * @param forcedBecause what the traffic was still busy with when the time to come to rest was over; empty if it did
 * @param connections of the job, each counted once
 * @param unsentBytes in send buffers at the cut; they are in the snapshots
 * @param unreadBytes in receive buffers at the cut; they are in the snapshots
 * @param digests what each VM, by its number, will show again when it is restored
 */
public record Quiescence(
        boolean gated,
        String notGatedBecause,
        String forcedBecause,
        int connections,
        long unsentBytes,
        long unreadBytes,
        int drainRounds,
        int verifyRounds,
        SortedMap<Integer, Long> digests) {
    public Quiescence {
        digests = Ordered.map(Map.copyOf(digests));
    }
}
