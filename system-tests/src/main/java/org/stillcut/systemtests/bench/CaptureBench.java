package org.stillcut.systemtests.bench;

import com.github.luben.zstd.Zstd;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.stillcut.agent.capture.DirtyTracker;
import org.stillcut.agent.capture.DirtyTracking;
import org.stillcut.agent.gang.Rehearsal;
import org.stillcut.agent.linux.HostCommandRunner;
import org.stillcut.agent.qemu.Accelerator;
import org.stillcut.agent.qemu.QmpEvent;
import org.stillcut.store.ByteRange;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageSource;
import org.stillcut.systemtests.bench.TestGuest.Pages;

/**
 * How long VMs stand still for a cut, what the second checkpoint costs, and how long a restore takes. Options: {@code --json}.
 * Ends with status 1 when an aim was missed.
 */
public final class CaptureBench {
    private static final int CUTS = 25;
    private static final long WRITE_BYTES_PER_SECOND = 100_000_000;
    private static final int ZSTD_LEVEL = 1;
    private static final int PAGE_BYTES = TestGuest.PAGE_BYTES;

    private final BenchReport report;
    private final Path root;

    private CaptureBench(BenchReport report, Path root) {
        this.report = report;
        this.root = root;
    }

    public static void main(String[] arguments) throws Exception {
        boolean json = List.of(arguments).contains("--json");
        BenchReport report = new BenchReport("capture", json, System.out);
        CaptureBench bench = new CaptureBench(report, Path.of(System.getProperty("stillcut.root", ".")));
        bench.warmUp();
        double small = bench.pauses("512MiB", 512L << 20);
        double large = bench.pauses("2GiB", 2L << 30);
        report.value("vm_stop_resume_ratio_2GiB_512MiB", large / small, "", CUTS, 1.5);
        bench.secondCheckpoints();
        new ManyVms(report, bench.root).measure();
        RestoreTimes restores = new RestoreTimes(report, bench.root);
        double smallRestore = restores.measure("512MiB", 512L << 20);
        double largeRestore = restores.measure("2GiB", 2L << 30);
        report.value("lazy_restore_ratio_2GiB_512MiB", largeRestore / smallRestore, "", 1, 1.5);
        System.exit(report.end() ? 0 : 1);
    }

    /** As an agent does before it takes orders. */
    private void warmUp() throws Exception {
        try (BenchPlace place = BenchPlace.create()) {
            Path shared = place.shared();
            String prefix = "sc-bench" + ProcessHandle.current().pid() + "-";
            DirtyTracking tracking = new DirtyTracking(root.resolve("build/native/libstillcut-track.so"));
            Rehearsal.Verdict verdict =
                    new Rehearsal(shared, shared, prefix, Accelerator.TCG, tracking, new HostCommandRunner()).run();
            if (verdict.tracker() == DirtyTracker.Kind.ALL_PAGES) {
                throw new IllegalStateException("this host cannot track writes: " + verdict.reason());
            }
        }
    }

    /** A guest in a place of its own, which goes with it. */
    @FunctionalInterface
    private interface Measurement<T> {
        T with(CaptureRig rig) throws Exception;
    }

    private <T> T inRig(int vcpus, long memoryBytes, Measurement<T> measurement) throws Exception {
        try (BenchPlace place = BenchPlace.create();
                CaptureRig rig = CaptureRig.boot(place.guest(root, vcpus, memoryBytes), place.disk())) {
            return measurement.with(rig);
        }
    }

    /** From the moment in which QEMU says that the VM stands still until it says that it runs, with all that a cut is in between. */
    private double pauses(String size, long memoryBytes) throws Exception {
        return inRig(1, memoryBytes, rig -> {
            TestGuest guest = rig.guest();
            int pages = guest.freePages() / 2;
            guest.change(Pages.clustered(0, guest.freePages() * 3 / 4), 1);
            guest.rewrite(Pages.clustered(0, pages), 2, WRITE_BYTES_PER_SECOND);
            List<Double> pauses = new ArrayList<>();
            List<Double> prepares = new ArrayList<>();
            long[] stopped = new long[1];
            guest.vm().qmp().addListener(event -> note(event, stopped, pauses));
            double first = 0;
            long started = System.nanoTime();
            for (int i = 0; i <= CUTS; i++) {
                long before = System.nanoTime();
                rig.capture().prepare();
                prepares.add((System.nanoTime() - before) / 1e6);
                rig.cut();
                first = i == 0 ? pauses.getFirst() : first;
                // What storing costs is measured elsewhere; here it would only take time.
                rig.capture().revoke();
            }
            double seconds = (System.nanoTime() - started) / 1e9;
            double median = BenchReport.quantile(pauses.subList(1, pauses.size()), 0.5);
            report.value("vm_stop_resume_ms_" + size, median, "ms", CUTS, 10);
            report.value(
                    "vm_stop_resume_p95_ms_" + size,
                    BenchReport.quantile(pauses.subList(1, pauses.size()), 0.95),
                    "ms",
                    CUTS);
            report.value("vm_stop_resume_first_ms_" + size, first, "ms", 1);
            report.value("prepare_ms_" + size, BenchReport.quantile(prepares, 0.5), "ms", CUTS);
            double written = (double) guest.rounds() * pages * PAGE_BYTES;
            report.value("guest_written_MB_per_s_" + size, written / seconds / 1e6, "MB/s", 1);
            return median;
        });
    }

    /** Called by the one thread that reads the monitor. */
    private static void note(QmpEvent event, long[] stopped, List<Double> pauses) {
        switch (event.name()) {
            case "STOP" -> stopped[0] = System.nanoTime();
            case "RESUME" -> pauses.add((System.nanoTime() - stopped[0]) / 1e6);
            default -> {}
        }
    }

    private void secondCheckpoints() throws Exception {
        inRig(1, 512L << 20, rig -> {
            TestGuest guest = rig.guest();
            guest.change(Pages.clustered(0, guest.freePages()), 1);
            measure(rig, "first");
            int changed = guest.freePages() / 20;
            guest.change(Pages.clustered(1000, changed), 2);
            measure(rig, "second_5pct_clustered");
            guest.change(new Pages(7, changed, 20), 3);
            measure(rig, "second_5pct_scattered");
            return changed;
        });
    }

    private void measure(CaptureRig rig, String name) throws Exception {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        long cpu = system.getProcessCpuTime();
        rig.capture().prepare();
        rig.cut();
        long paused = system.getProcessCpuTime();
        long[] compressed = compressedPages(rig.ram().image());
        long resumed = system.getProcessCpuTime();
        long stored = rig.persist();
        double seconds = (double) (system.getProcessCpuTime() - resumed + paused - cpu) / TimeUnit.SECONDS.toNanos(1);
        int pages = (int) compressed[1];
        report.value(name + "_changed_pages", pages, "pages", 1);
        report.value(name + "_stored_MB", stored / 1e6, "MB", 1);
        report.value(name + "_cpu_s", seconds, "s", 1);
        double ratio = (double) stored / compressed[0];
        if (name.startsWith("second")) {
            report.value(name + "_stored_per_compressed_page", ratio, "", pages, 1.15);
        } else {
            report.value(name + "_stored_per_compressed_page", ratio, "", pages);
        }
    }

    /** The changed pages' bytes, each page compressed by itself, and the number of these pages. */
    private static long[] compressedPages(ImageInput image) throws IOException {
        List<ByteRange> present = switch (image) {
            case ImageInput.Overlay(ImageSource _, var _, List<ByteRange> ranges) -> ranges;
            case ImageInput.Sparse(ImageSource _, List<ByteRange> ranges, int _) -> ranges;
            case ImageInput.Full _, ImageInput.Dirty _ -> throw new IllegalStateException("not a kind for RAM");
        };
        long bytes = 0;
        long count = 0;
        byte[] page = new byte[PAGE_BYTES];
        byte[] zeros = new byte[PAGE_BYTES];
        for (ByteRange range : present) {
            for (long at = range.offsetBytes(); at < range.endBytes(); at += PAGE_BYTES) {
                image.source().read(at, ByteBuffer.wrap(page));
                if (!Arrays.equals(page, zeros)) {
                    bytes += Math.min(PAGE_BYTES, Zstd.compress(page, ZSTD_LEVEL).length);
                }
                count++;
            }
        }
        return new long[] {bytes, count};
    }
}
