package org.stillcut.systemtests.bench;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicLong;
import org.stillcut.agent.qemu.EventWatch;
import org.stillcut.agent.qemu.QmpClient;
import org.stillcut.agent.qemu.QmpEvent;
import org.stillcut.systemtests.bench.TestGuest.Pages;

/**
 * Several VMs that stand still together for a cut, from the first one's {@code STOP} to the last one's {@code RESUME}; and the
 * same VMs when QEMU itself stops and saves them, into a socket from which somebody reads and forgets, which is as fast as QEMU
 * can be.
 */
final class ManyVms {
    private static final int VMS = 4;
    private static final int CUTS = 25;
    private static final int OWN_SAVES = 5;
    private static final long MEMORY_BYTES = 256L << 20;
    private static final long WRITE_BYTES_PER_SECOND = 10_000_000;
    private static final double AIM_MILLIS = 20;
    private static final double SHARE_OF_OWN_AIM = 0.1;
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    /** QEMU's default is that of a network of 1 Gbit/s. */
    private static final long MOST_BANDWIDTH = 100_000_000_000L;

    private final BenchReport report;
    private final Path root;
    private final AtomicLong firstStop = new AtomicLong();
    private final AtomicLong lastResume = new AtomicLong();

    ManyVms(BenchReport report, Path root) {
        this.report = report;
        this.root = root;
    }

    void measure() throws Exception {
        Deque<AutoCloseable> open = new ArrayDeque<>();
        try {
            List<CaptureRig> rigs = new ArrayList<>();
            for (int i = 0; i < VMS; i++) {
                BenchPlace place = BenchPlace.create();
                open.push(place);
                CaptureRig rig = CaptureRig.boot(place.guest(root, 1, MEMORY_BYTES), place.disk());
                open.push(rig);
                rigs.add(rig);
                rig.guest().vm().qmp().addListener(this::note);
                int pages = rig.guest().freePages() / 2;
                rig.guest().change(Pages.clustered(0, pages), 1);
                rig.guest().rewrite(Pages.clustered(0, pages), 2, WRITE_BYTES_PER_SECOND);
            }
            double together = cuts(rigs);
            double own = ownSaves(rigs);
            report.value("stop_cont_per_own_stop_migrate_4vms", together / own, "", OWN_SAVES, SHARE_OF_OWN_AIM);
        } finally {
            while (!open.isEmpty()) {
                open.pop().close();
            }
        }
    }

    private void note(QmpEvent event) {
        long now = System.nanoTime();
        switch (event.name()) {
            case "STOP" -> firstStop.accumulateAndGet(now, Math::min);
            case "RESUME" -> lastResume.accumulateAndGet(now, Math::max);
            default -> {}
        }
    }

    private void forgetEvents() {
        firstStop.set(Long.MAX_VALUE);
        lastResume.set(Long.MIN_VALUE);
    }

    private double standstillMillis() {
        return (lastResume.get() - firstStop.get()) / 1e6;
    }

    private double cuts(List<CaptureRig> rigs) throws Exception {
        List<Double> times = new ArrayList<>();
        for (int i = 0; i <= CUTS; i++) {
            each(rigs, (rig, together) -> rig.capture().prepare());
            forgetEvents();
            each(rigs, (rig, together) -> {
                rig.guest().vm().pause(DEADLINE);
                together.await();
                rig.capture().cut();
                together.await();
                rig.resume();
            });
            times.add(standstillMillis());
            each(rigs, (rig, together) -> rig.capture().revoke());
        }
        // The first one warms up.
        List<Double> counted = times.subList(1, times.size());
        double median = BenchReport.quantile(counted, 0.5);
        report.value("stop_cont_4vms_ms", median, "ms", CUTS, AIM_MILLIS);
        report.value("stop_cont_4vms_p95_ms", BenchReport.quantile(counted, 0.95), "ms", CUTS);
        return median;
    }

    private double ownSaves(List<CaptureRig> rigs) throws Exception {
        List<Double> times = new ArrayList<>();
        for (int i = 0; i < OWN_SAVES; i++) {
            forgetEvents();
            each(rigs, (rig, together) -> {
                QmpClient qmp = rig.guest().vm().qmp();
                qmp.execute(
                        "migrate-set-capabilities",
                        Map.of("capabilities", List.of(Map.of("capability", "x-ignore-shared", "state", false))),
                        DEADLINE);
                qmp.execute("migrate-set-parameters", Map.of("max-bandwidth", MOST_BANDWIDTH), DEADLINE);
                rig.guest().vm().pause(DEADLINE);
                together.await();
                save(rig.guest());
                together.await();
                rig.resume();
            });
            times.add(standstillMillis());
        }
        double median = BenchReport.quantile(times, 0.5);
        report.value("own_stop_migrate_4vms_ms", median, "ms", OWN_SAVES);
        return median;
    }

    private static void save(TestGuest guest) throws Exception {
        Path socket = guest.vm().spec().files().runDirectory().resolve("own.sock");
        Files.deleteIfExists(socket);
        QmpClient qmp = guest.vm().qmp();
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
                EventWatch end = qmp.watch(
                        "end of the save",
                        event -> event.name().equals("MIGRATION")
                                && event.text("status").equals("completed"))) {
            server.bind(UnixDomainSocketAddress.of(socket));
            FutureTask<Long> reader = new FutureTask<>(() -> readAll(server));
            Thread.ofPlatform().start(reader);
            qmp.execute("migrate", Map.of("uri", "unix:" + socket), DEADLINE);
            end.await(DEADLINE);
            if (reader.get() < MEMORY_BYTES / 4) {
                throw new IOException("QEMU left out the RAM");
            }
        } finally {
            Files.deleteIfExists(socket);
        }
    }

    private static long readAll(ServerSocketChannel server) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
        long bytes = 0;
        try (SocketChannel qemu = server.accept()) {
            for (int read = 0; read >= 0; read = qemu.read(buffer.clear())) {
                bytes += read;
            }
        }
        return bytes;
    }

    /** What is done with each VM; all of them can meet at the barrier. */
    @FunctionalInterface
    private interface Action {
        void run(CaptureRig rig, CyclicBarrier together) throws Exception;
    }

    private static void each(List<CaptureRig> rigs, Action action) throws Exception {
        CyclicBarrier together = new CyclicBarrier(rigs.size());
        List<FutureTask<Void>> tasks = new ArrayList<>();
        for (CaptureRig rig : rigs) {
            FutureTask<Void> task = new FutureTask<>(() -> {
                action.run(rig, together);
                return null;
            });
            tasks.add(task);
            Thread.ofVirtual().start(task);
        }
        for (FutureTask<Void> task : tasks) {
            task.get();
        }
    }
}
