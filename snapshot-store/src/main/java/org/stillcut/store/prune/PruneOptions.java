package org.stillcut.store.prune;

import java.time.Duration;

/**
 * How a prune works.
 *
 * @param dryRun only say what would go
 * @param mostUnusedPercent a pack with a larger part of unneeded bytes is written anew without them; 100 removes only packs of which nothing is
 *     needed
 * @param patience how long to wait for snapshots that are being written; what they might need stays when they take longer
 */
public record PruneOptions(boolean dryRun, int mostUnusedPercent, Duration patience) {

    /** A fifth may be unused: below that, what is copied is more than four times what is gained. */
    public static final PruneOptions DEFAULT = new PruneOptions(false, 20, Duration.ofMinutes(10));

    /** Checks the values. */
    public PruneOptions {
        if (mostUnusedPercent < 0 || mostUnusedPercent > 100 || patience.isNegative()) {
            throw new IllegalArgumentException("unused " + mostUnusedPercent + " %, patience " + patience);
        }
    }

    /** The same without changing anything. */
    public PruneOptions asDryRun() {
        return new PruneOptions(true, mostUnusedPercent, patience);
    }
}
