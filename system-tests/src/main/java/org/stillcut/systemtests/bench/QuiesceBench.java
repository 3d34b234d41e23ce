package org.stillcut.systemtests.bench;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * How fast the traffic of a job comes to rest, and what the gate costs while it is open. Options: {@code --json},
 * {@code --checkpoints N} (140) in each series, of which the first 40 warm the daemons up and are told apart, {@code --pairs N} (15) of runs of the stencil. Ends with status 1 when an aim was
 * missed.
 *
 * <p>The aims are for a machine of two cores without KVM that does nothing else.
 */
public final class QuiesceBench {
    private static final int CHECKPOINTS = 140;
    private static final int PAIRS = 15;

    private QuiesceBench() {}

    public static void main(String[] arguments) throws Exception {
        List<String> words = Arrays.asList(arguments);
        int checkpoints = option(words, "--checkpoints", CHECKPOINTS);
        BenchReport report = new BenchReport("quiesce", words.contains("--json"), System.out);
        Path root = Path.of(System.getProperty("stillcut.root", "."));
        QuiesceSeries.storm(root, 4, checkpoints).report(report, new QuiesceSeries.Aims(60, 100, 100, 150));
        QuiesceSeries.storm(root, 2, checkpoints).report(report, new QuiesceSeries.Aims(10, 100, 100, 150));
        try (ShimCost cost = ShimCost.build(root)) {
            cost.calls(report);
            cost.stencil(report, option(words, "--pairs", PAIRS));
        }
        System.exit(report.end() ? 0 : 1);
    }

    private static int option(List<String> words, String name, int usual) {
        int at = words.indexOf(name);
        return at < 0 ? usual : Integer.parseInt(words.get(at + 1));
    }
}
