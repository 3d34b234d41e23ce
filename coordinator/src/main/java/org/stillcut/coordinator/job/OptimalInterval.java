package org.stillcut.coordinator.job;

import java.time.Duration;

/**
 * How long to wait from one checkpoint to the next so that a job loses the least time, to checkpoints and to work that is done
 * again after a failure.
 *
 * <p>The formula is equation (37) of J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps",
 * Future Generation Computer Systems 22 (2006), 303-312, which refines J. W. Young, "A first order approximation to the optimum
 * checkpoint interval", Communications of the ACM 17 (1974), 530-531: with the cost δ of a checkpoint and the mean time M
 * between failures, √(2δM)·(1 + ⅓·√(δ/2M) + ⅑·δ/2M) − δ for δ &lt; 2M, else M.
 *
 * <p>The cost is the time that the job stands still. What is done beside it, copying and storing, is not in the formula; it is
 * bounded to a share of the time.
 */
final class OptimalInterval {
    /** Before a checkpoint was measured: soon, since a first one is worth much and its cost is wanted. */
    static final Duration FIRST = Duration.ofMinutes(1);

    /** Below that a checkpoint is hardly stored before the next begins. */
    static final Duration SHORTEST = Duration.ofSeconds(10);

    /** Where nobody says how often nodes fail: a day, as if one failure had been seen in it. */
    static final Duration USUAL_MTBF = Duration.ofDays(1);

    /** So many times as long as one checkpoint takes from its first step to its last: its work beside the job is 5 % then. */
    private static final int WHOLE_DURATIONS = 20;

    private OptimalInterval() {}

    /**
     * The mean time between failures of a job, from what was expected and what was seen: the mean of the gamma distribution
     * that an expectation with the weight of one failure and the job's own failures give (the conjugate prior of the
     * exponential distribution's rate).
     *
     * @param expected zero: nobody said
     * @param seen for how long the job was watched
     * @param failures how many of its incarnations were lost in that time
     */
    static Duration meanTimeBetweenFailures(Duration expected, Duration seen, long failures) {
        Duration prior = expected.isZero() ? USUAL_MTBF : expected;
        return prior.plus(seen).dividedBy(failures + 1);
    }

    /**
     * From the end of a checkpoint to the beginning of the next.
     *
     * @param cost for how long the job stood still for the last one
     * @param whole how long the last one took in all
     * @param mtbf mean time between failures
     */
    static Duration of(Duration cost, Duration whole, Duration mtbf) {
        double delta = seconds(cost);
        double mean = Math.max(seconds(mtbf), seconds(SHORTEST));
        double best = mean;
        if (delta < 2 * mean) {
            double ratio = delta / (2 * mean);
            best = Math.sqrt(2 * delta * mean) * (1 + Math.sqrt(ratio) / 3 + ratio / 9) - delta;
        }
        Duration optimum = Duration.ofMillis(Math.round(best * 1000));
        Duration least = whole.multipliedBy(WHOLE_DURATIONS);
        return max(max(optimum, least), SHORTEST);
    }

    private static double seconds(Duration time) {
        return time.toNanos() / 1e9;
    }

    private static Duration max(Duration left, Duration right) {
        return left.compareTo(right) >= 0 ? left : right;
    }
}
