package org.stillcut.coordinator.catalog;

import java.time.Duration;

/**
 * When a job is checkpointed beyond a fixed interval, and which of its checkpoints are kept.
 *
 * @param automatic whether the interval follows from what checkpoints cost and how often the job fails
 * @param expectedMtbf mean time between failures that somebody expects; zero: nobody does
 * @param keepLast so many of the newest are kept; 0: nothing is forgotten
 * @param keepHourly and the newest of each of so many hours that have one; likewise the next two
 */
public record CheckpointPolicy(
        boolean automatic, Duration expectedMtbf, int keepLast, int keepHourly, int keepDaily, int keepWeekly) {
    /** Nothing by itself: a fixed interval, if any, and all are kept. */
    public static final CheckpointPolicy NONE = new CheckpointPolicy(false, Duration.ZERO, 0, 0, 0, 0);

    public CheckpointPolicy {
        boolean rules = keepHourly > 0 || keepDaily > 0 || keepWeekly > 0;
        if (keepLast < 0 || keepHourly < 0 || keepDaily < 0 || keepWeekly < 0 || (rules && keepLast == 0)) {
            throw new IllegalArgumentException("not valid rules for keeping checkpoints: the last " + keepLast + ", "
                    + keepHourly + " hourly, " + keepDaily + " daily, " + keepWeekly
                    + " weekly; at least the last one is always kept");
        }
        if (expectedMtbf.isNegative()) {
            throw new IllegalArgumentException("not a valid time between failures: " + expectedMtbf);
        }
    }

    /** Whether any checkpoint may be forgotten. */
    public boolean forgets() {
        return keepLast > 0;
    }
}
