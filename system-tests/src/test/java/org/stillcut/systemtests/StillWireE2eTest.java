package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.stillcut.systemtests.wire.DelaySwitch;
import org.stillcut.systemtests.wire.Processes;
import org.stillcut.systemtests.wire.WireLog;

/**
 * Proves the proof: a switch between the nodes that sees every byte the VMs send each other, and knows nothing of the counters
 * in the guests, holds none of them at the cut.
 *
 * <p>The cut lies between the end of the verification and the order to resume: by then no VM has gone on. Between two
 * checkpoints all VMs are stopped without any quiescing, which shows that the switch would have seen what there is to see.
 */
@Tag("e2e")
class StillWireE2eTest {
    /**
     * A slow network: what is sent is on the wire for so long. On a busy machine it takes some milliseconds until all threads of
     * four VMs have stopped, and with 5 ms most of what was on the wire had arrived by then.
     */
    private static final Duration DELAY = Duration.ofMillis(20);

    /** The storm needs some ten seconds for the launch and two for each cut; what is left of it is cancelled. */
    private static final int MESSAGES = 5_000_000;

    private static final Duration STEP = Duration.ofMinutes(3);

    @Test
    void nothingIsOnTheWireAtTenCuts() throws Exception {
        cut(10);
    }

    @Test
    @Tag("full")
    void nothingIsOnTheWireAtAHundredCuts() throws Exception {
        cut(100);
    }

    private static void cut(int cuts) throws Exception {
        Path root = Cluster.projectRoot();
        // One VM on each node, so that no two of them can talk past the switch.
        try (DelaySwitch wire = DelaySwitch.start(DELAY);
                Cluster cluster =
                        Cluster.start(root, Cluster.Options.of(root, 4, 1).withDataNetwork(wire::add))) {
            Path directory = Files.createDirectory(cluster.home().resolve("job"));
            DemoProgram.STORM.stage(root.resolve("build"), directory);
            List<String> storm = List.of("--ckpt", "-np", "4", "./storm", "--messages", Integer.toString(MESSAGES));
            try (MpirunRun run = cluster.mpirun(directory, storm)) {
                String job = run.jobId(STEP);
                run.awaitStdout("the storm's first line", STEP, DemoProgram.STORM::isProgress);
                List<WireLog.Held> quiesced = new ArrayList<>();
                List<WireLog.Held> unquiesced = new ArrayList<>();
                for (int i = 0; i < cuts; i++) {
                    quiesced.add(atTheCut(cluster, wire, job));
                    unquiesced.add(atAStop(cluster, wire));
                }
                assertThat(cluster.stillcut("cancel", job).exitStatus()).isZero();
                report("cuts", quiesced);
                report("stops without quiescing", unquiesced);
                assertThat(wire.log().unreadable()).isEmpty();
                assertThat(quiesced).allMatch(WireLog.Held::observed, "was looked at during the cut");
                assertThat(quiesced).allMatch(held -> held.freshBytes() == 0, "has nothing on the wire");
                assertThat(unquiesced.stream().filter(held -> held.freshBytes() > 0))
                        .as("stops with bytes on the wire")
                        .hasSizeGreaterThan(cuts / 2);
            }
        }
    }

    private static WireLog.Held atTheCut(Cluster cluster, DelaySwitch wire, String job) throws Exception {
        JsonNode began = cluster.json("checkpoint", job).path("checkpoint").path("stepBeganUnixMicros");
        long verified = began.path("pause").asLong();
        long resumed = began.path("resume").asLong();
        assertThat(verified).isPositive().isLessThan(resumed);
        wire.requireSound();
        WireLog.Held held = wire.log().during(verified, resumed);
        wire.log().forgetBefore(resumed);
        return held;
    }

    /** What is on the wire when all VMs stand still just like that. */
    private static WireLog.Held atAStop(Cluster cluster, DelaySwitch wire) throws Exception {
        List<ProcessHandle> vms = new ArrayList<>();
        for (SimulatedNode node : cluster.nodes()) {
            vms.addAll(node.vms());
        }
        assertThat(vms).hasSize(4);
        long stopped;
        try {
            Processes.stop(vms);
            stopped = DelaySwitch.nowMicros();
        } finally {
            Processes.go(vms);
        }
        wire.requireSound();
        return wire.log().during(stopped, stopped);
    }

    private static void report(String what, List<WireLog.Held> all) {
        System.out.println(String.format(
                Locale.ROOT,
                "%d %s: %d with payload on the wire, %d bytes in all, most %d; sent again for nothing: %d bytes in %d",
                all.size(),
                what,
                all.stream().filter(held -> held.freshBytes() > 0).count(),
                all.stream().mapToLong(WireLog.Held::freshBytes).sum(),
                all.stream().mapToLong(WireLog.Held::freshBytes).max().orElse(0),
                all.stream().mapToLong(WireLog.Held::repeatedBytes).sum(),
                all.stream().filter(held -> held.repeatedBytes() > 0).count()));
        all.stream().flatMap(held -> held.what().stream()).limit(5).forEach(line -> System.out.println("  " + line));
    }
}
