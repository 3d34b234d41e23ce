package org.stillcut.cli;

import java.util.List;
import java.util.Set;
import org.stillcut.v1.StepTime;

/** The steps of a checkpoint one below the other, with a bar where each stands in the whole time. */
final class StepTimeline {
    /** While these last the job stands still, or may: the stages that the pause consists of. */
    private static final Set<String> STANDING =
            Set.of("quiesce", "drain", "freeze", "verify", "pause", "capture", "resume");

    private static final int WIDEST_BAR = 48;
    private static final int TEXT_COLUMNS = 24;

    private StepTimeline() {}

    static String of(List<StepTime> steps, Style style) {
        long total = Math.max(1, steps.stream().mapToLong(StepTime::getMicros).sum());
        int width = Math.clamp(style.columns() - TEXT_COLUMNS, 8, WIDEST_BAR);
        TextTable table = new TextTable("STEP", "TIME", "= the job runs   # it stands still");
        long before = 0;
        for (StepTime step : steps) {
            int from = column(before, total, width);
            int to = Math.max(from + 1, column(before + step.getMicros(), total, width));
            String mark = STANDING.contains(step.getStep()) ? "#" : "=";
            table.row(
                    step.getStep(),
                    Quantities.readableMicros(step.getMicros()),
                    " ".repeat(from) + mark.repeat(to - from));
            before += step.getMicros();
        }
        return table.render(style);
    }

    /** The last column is kept for a step that ends the whole. */
    private static int column(long micros, long total, int width) {
        return (int) Math.min(width - 1, micros * width / total);
    }
}
