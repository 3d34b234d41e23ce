package org.stillcut.systemtests.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** What one bench has measured: a line of JSON for each metric as it comes, or a table for people at the end. */
final class BenchReport {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String bench;
    private final boolean json;
    private final PrintStream out;
    private final List<Line> lines = new ArrayList<>();

    BenchReport(String bench, boolean json, PrintStream out) {
        this.bench = bench;
        this.json = json;
        this.out = out;
    }

    private record Line(String metric, double value, String unit, int n, OptionalDouble aim) {
        boolean met() {
            return aim.isEmpty() || value <= aim.getAsDouble();
        }
    }

    /** A value that is as it is. */
    void value(String metric, double value, String unit, int n) {
        add(new Line(metric, value, unit, n, OptionalDouble.empty()));
    }

    /** A value that should be at most the aim. */
    void value(String metric, double value, String unit, int n, double aim) {
        add(new Line(metric, value, unit, n, OptionalDouble.of(aim)));
    }

    private void add(Line line) {
        lines.add(line);
        if (json) {
            ObjectNode object = JSON.createObjectNode()
                    .put("bench", bench)
                    .put("metric", line.metric)
                    .put("value", Math.round(line.value * 1000) / 1000.0)
                    .put("unit", line.unit)
                    .put("n", line.n);
            line.aim.ifPresent(aim -> object.put("aim", aim).put("met", line.met()));
            out.println(object);
        }
    }

    /** Whether all aims were met; prints the table. */
    boolean end() {
        if (!json) {
            out.printf(Locale.ROOT, "%-44s %12s %-6s %6s %10s%n", bench, "value", "unit", "n", "aim");
            for (Line line : lines) {
                String aim = line.aim.isPresent()
                        ? String.format(Locale.ROOT, "<= %.4g%s", line.aim.getAsDouble(), line.met() ? "" : " missed")
                        : "";
                out.printf(
                        Locale.ROOT, "%-44s %12.3f %-6s %6d %10s%n", line.metric, line.value, line.unit, line.n, aim);
            }
        }
        return lines.stream().allMatch(Line::met);
    }

    /** The middle of the values; {@code share} 0.5 is the median. */
    static double quantile(List<Double> values, double share) {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        return sorted[Math.min(sorted.length - 1, (int) (sorted.length * share))];
    }
}
