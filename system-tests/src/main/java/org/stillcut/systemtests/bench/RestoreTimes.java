package org.stillcut.systemtests.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.stillcut.agent.linux.CommandException;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.HostCommandRunner;
import org.stillcut.systemtests.bench.TestGuest.Pages;

/**
 * How long a restore takes until the VM runs, and until it has done something: eagerly and lazily, with the repository in the
 * page cache and not. The guest writes all the time into a part of its RAM, of which half is in use.
 */
final class RestoreTimes {
    private static final int RESTORES = 5;
    private static final int WARM_UPS = 2;
    private static final int BUSY_PAGES = 4096;
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final double LAZY_AIM_MILLIS = 200;

    private final BenchReport report;
    private final Path root;

    RestoreTimes(BenchReport report, Path root) {
        this.report = report;
        this.root = root;
    }

    /** Returns the median time of a lazy restore, cache warm, in milliseconds. */
    double measure(String size, long memoryBytes) throws Exception {
        try (BenchPlace place = BenchPlace.create()) {
            TestGuest.Place guest = place.guest(root, 1, memoryBytes);
            try (CaptureRig rig = CaptureRig.boot(guest, place.disk())) {
                int used = (int) (memoryBytes / TestGuest.PAGE_BYTES / 2);
                rig.guest().change(Pages.clustered(0, used), 1);
                rig.guest().storm(Pages.clustered(used / 2, BUSY_PAGES), 2);
                rig.capture().prepare();
                rig.cut();
                rig.persist();
                Series series = new Series(rig, guest, size);
                // The first ones warm up this process.
                series.restores(false, WARM_UPS, () -> {});
                series.restores(true, WARM_UPS, () -> {});
                series.report("eager_warm", false, () -> {});
                double lazy = series.report("lazy_warm", true, () -> {});
                series.report("eager_cold", false, () -> dropFromCache(place.disk()));
                series.report("lazy_cold", true, () -> dropFromCache(place.disk()));
                return lazy;
            }
        }
    }

    /** What is done before each restore. */
    @FunctionalInterface
    private interface Before {
        void restore() throws Exception;
    }

    private final class Series {
        private final CaptureRig rig;
        private final TestGuest.Place place;
        private final String size;

        Series(CaptureRig rig, TestGuest.Place place, String size) {
            this.rig = rig;
            this.place = place;
            this.size = size;
        }

        double report(String name, boolean lazy, Before before) throws Exception {
            Times times = restores(lazy, RESTORES, before);
            String running = "restore_to_running_" + name + "_" + size;
            double median = BenchReport.quantile(times.running, 0.5);
            if (lazy) {
                report.value(running + "_ms", median, "ms", RESTORES, LAZY_AIM_MILLIS);
            } else {
                report.value(running + "_ms", median, "ms", RESTORES);
            }
            report.value(running + "_max_ms", BenchReport.quantile(times.running, 1), "ms", RESTORES);
            report.value(
                    "restore_to_progress_" + name + "_" + size + "_ms",
                    BenchReport.quantile(times.progress, 0.5),
                    "ms",
                    RESTORES);
            report.value(
                    "restore_to_complete_" + name + "_" + size + "_ms",
                    BenchReport.quantile(times.complete, 0.5),
                    "ms",
                    RESTORES);
            return median;
        }

        private Times restores(boolean lazy, int count, Before before) throws Exception {
            Times times = new Times(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
            for (int i = 0; i < count; i++) {
                rig.stop();
                before.restore();
                long started = System.nanoTime();
                if (lazy) {
                    rig.restartLazily(place);
                } else {
                    rig.restart(place);
                }
                rig.resume();
                times.running.add(millisSince(started));
                // Once for the counter's page to come, once for the guest to count.
                rig.guest().awaitRound();
                rig.guest().awaitRound();
                times.progress.add(millisSince(started));
                rig.awaitFilled();
                times.complete.add(millisSince(started));
            }
            return times;
        }
    }

    private record Times(List<Double> running, List<Double> progress, List<Double> complete) {}

    private static double millisSince(long nanos) {
        return (System.nanoTime() - nanos) / 1e6;
    }

    /** Has the kernel forget the content of the files; what it holds for others stays. */
    private static void dropFromCache(Path directory) throws Exception {
        List<Path> files;
        try (var all = Files.walk(directory.resolve("repository"))) {
            files = all.filter(Files::isRegularFile).toList();
        }
        for (Path file : files) {
            if (Files.size(file) > 0) {
                dropFromCache(file.toString());
            }
        }
    }

    private static void dropFromCache(String file) throws IOException, InterruptedException {
        try {
            new HostCommandRunner()
                    .run(CommandLine.of("dd", "if=" + file, "iflag=nocache", "count=0", "status=none"), LIMIT);
        } catch (CommandException e) {
            throw new IOException("the page cache keeps " + file, e);
        }
    }
}
