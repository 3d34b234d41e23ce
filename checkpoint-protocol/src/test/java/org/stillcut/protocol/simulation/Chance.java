package org.stillcut.protocol.simulation;

import java.util.List;
import java.util.SplittableRandom;

/** All randomness of a simulation, from its seed. How often things go wrong is itself drawn from the seed. */
final class Chance {
    private final SplittableRandom random;
    private final double slowWork;
    private final double failingWork;
    private final double rejectedCommit;
    private final double duplicate;
    private final double crashPoint;
    private final double refusedTraffic;
    private boolean faultsAllowed = true;

    Chance(long seed) {
        random = new SplittableRandom(seed);
        // Seldom everything is slow, so that several steps within their deadlines make a job stand still for too long.
        slowWork = oneIn(8) ? 0.5 : rate(0.06);
        failingWork = oneIn(16) ? 0.15 : rate(0.02);
        rejectedCommit = rate(0.2);
        duplicate = rate(0.1);
        crashPoint = rate(0.004);
        refusedTraffic = rate(0.05);
    }

    /** About half of the seeds know a fault at all, so that others can show its consequences alone. */
    private double rate(double most) {
        return random.nextBoolean() ? random.nextDouble() * most : 0;
    }

    void endFaults() {
        faultsAllowed = false;
    }

    boolean slowWork() {
        return fault(slowWork);
    }

    boolean failingWork() {
        return fault(failingWork);
    }

    boolean rejectedCommit() {
        return fault(rejectedCommit);
    }

    boolean duplicate() {
        return fault(duplicate);
    }

    boolean refusedTraffic() {
        return fault(refusedTraffic);
    }

    boolean crashPoint() {
        return fault(crashPoint);
    }

    private boolean fault(double probability) {
        return faultsAllowed && probability > 0 && random.nextDouble() < probability;
    }

    boolean oneIn(int count) {
        return random.nextInt(count) == 0;
    }

    /** From the least to the most, both included. */
    int between(int least, int most) {
        return random.nextInt(least, most + 1);
    }

    <T> T oneOf(List<T> choices) {
        return choices.get(random.nextInt(choices.size()));
    }
}
