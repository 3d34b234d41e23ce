package org.stillcut.systemtests;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How long a checkpoint holds up a job, as seen from outside: the time between the last line of progress before and the first
 * after it, less the ordinary time between two lines.
 */
record PauseMeasure(double ordinaryMillis, List<Double> pausesMillis) {
    private static final double NANOS_PER_MILLI = 1e6;

    /** Lines of the launch and of the time around the restart are left out: only checkpoints that went well count. */
    PauseMeasure(MpirunRun run, DemoProgram program) {
        this(ordinary(progress(run, program)), new ArrayList<>());
        List<MpirunRun.Line> lines = progress(run, program);
        long began = 0;
        for (MpirunRun.Line event : run.stderr()) {
            if (event.text().contains("to be restarted") || event.text().contains("running, epoch ")) {
                // Until the restarted job is where the lost one was, it prints nothing that is new.
                lines = lines.stream()
                        .filter(line -> line.nanoTime() > event.nanoTime())
                        .toList();
                began = 0;
            } else if (event.text().contains(": PREPARE,")) {
                began = event.nanoTime();
            } else if (event.text().contains("is committed") && began != 0) {
                pausesMillis.add(Math.max(0, longestGap(lines, began, event.nanoTime()) - ordinaryMillis));
                began = 0;
            }
        }
    }

    private static List<MpirunRun.Line> progress(MpirunRun run, DemoProgram program) {
        return run.stdout().stream()
                .filter(line -> program.isProgress(line.text()))
                .toList();
    }

    private static double ordinary(List<MpirunRun.Line> lines) {
        List<Double> gaps = new ArrayList<>();
        for (int i = 1; i < lines.size(); i++) {
            gaps.add((lines.get(i).nanoTime() - lines.get(i - 1).nanoTime()) / NANOS_PER_MILLI);
        }
        gaps.sort(null);
        return gaps.isEmpty() ? 0 : gaps.get(gaps.size() / 2);
    }

    private static double longestGap(List<MpirunRun.Line> lines, long from, long to) {
        double longest = 0;
        for (int i = 1; i < lines.size(); i++) {
            if (lines.get(i).nanoTime() >= from && lines.get(i - 1).nanoTime() <= to) {
                double gap = (lines.get(i).nanoTime() - lines.get(i - 1).nanoTime()) / NANOS_PER_MILLI;
                longest = Math.max(longest, gap);
            }
        }
        return longest;
    }

    String describe() {
        if (pausesMillis.isEmpty()) {
            return "no checkpoint fell between two lines of progress";
        }
        List<Double> sorted = pausesMillis.stream().sorted().toList();
        return String.format(
                Locale.ROOT,
                "pause of the job, last line before to first after, less the ordinary %.0f ms: median %.0f ms, longest %.0f ms"
                        + " of %d checkpoints",
                ordinaryMillis,
                sorted.get(sorted.size() / 2),
                sorted.getLast(),
                sorted.size());
    }
}
