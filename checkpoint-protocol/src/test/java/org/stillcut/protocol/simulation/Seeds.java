package org.stillcut.protocol.simulation;

import java.util.Optional;

/**
 * Runs many seeds, or one with a trace.
 *
 * <p>As a program: {@code java -cp target/classes:target/test-classes org.stillcut.protocol.simulation.Seeds}, with
 * {@code -Dstillcut.sim.seed=N} to replay one seed, or {@code -Dstillcut.sim.seeds=N} to run the seeds from 1 to N.
 */
public final class Seeds {
    /** What an ordinary build runs: enough to find each bug of {@link PlantedBug} many times over, in a few seconds. */
    static final long DEFAULT = 20_000;

    static final long IN_BUILD = Long.getLong("stillcut.sim.seeds", DEFAULT);

    /** A seed and what it broke. */
    record Finding(long seed, String message) {}

    /** What many runs came to. */
    static final class Tally {
        final Coverage coverage = new Coverage();
        long runs;
        long events;
        long commits;
    }

    private Seeds() {}

    /** The first seed from 1 to the last that breaks an invariant. */
    static Optional<Finding> run(long last, Cores cores, Tally tally) {
        for (long seed = 1; seed <= last; seed++) {
            Optional<Finding> finding = runOne(seed, cores, tally);
            if (finding.isPresent()) {
                return finding;
            }
        }
        return Optional.empty();
    }

    static Optional<Finding> runOne(long seed, Cores cores, Tally tally) {
        Simulation simulation = new Simulation(seed, cores, false);
        try {
            simulation.run();
        } catch (Violation | IllegalStateException | IllegalArgumentException broken) {
            return Optional.of(new Finding(seed, broken.toString()));
        } finally {
            tally.runs++;
            tally.events += simulation.agenda().happened();
            tally.commits += simulation.repository().commits();
            tally.coverage.addAll(simulation.coverage());
        }
        return Optional.empty();
    }

    /** The seed, what it broke, and what happened last before. */
    static String explain(Finding finding, Cores cores) {
        Simulation simulation = new Simulation(finding.seed(), cores, true);
        String outcome = "no invariant was broken";
        try {
            simulation.run();
        } catch (Violation | IllegalStateException | IllegalArgumentException broken) {
            outcome = broken.toString();
        }
        return "seed " + finding.seed() + " (replay with -Dstillcut.sim.seed=" + finding.seed() + ")\n"
                + String.join("\n", simulation.trace()) + "\n" + outcome;
    }

    /** The entrance from a command line. */
    public static void main(String[] arguments) {
        Long single = Long.getLong("stillcut.sim.seed");
        Tally tally = new Tally();
        if (single != null) {
            System.out.println(explain(new Finding(single, ""), Cores.REAL));
            return;
        }
        long begun = System.nanoTime();
        Optional<Finding> finding = run(IN_BUILD, Cores.REAL, tally);
        System.out.println(finding.map(found -> explain(found, Cores.REAL)).orElse("no invariant was broken"));
        System.out.printf(
                "%d seeds, %d events, %d commits, %d ms%n",
                tally.runs, tally.events, tally.commits, (System.nanoTime() - begun) / 1_000_000);
    }
}
