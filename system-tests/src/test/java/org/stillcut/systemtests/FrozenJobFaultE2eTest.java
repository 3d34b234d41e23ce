package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.systemtests.wire.DelaySwitch;
import org.stillcut.systemtests.wire.Processes;

/**
 * What happens while a job is frozen. The moment is hit by a network that keeps everything that the job sends: then nothing can be
 * verified, and the job stays frozen until the time for that is over.
 */
@Tag("e2e")
class FrozenJobFaultE2eTest {
    private static final Duration STEP = Duration.ofMinutes(3);

    /** The agents' patience with a coordinator, and a busy machine. */
    private static final Duration PATIENCE = Duration.ofSeconds(10 + 20);

    /** The guests' lease, and a busy machine. */
    private static final Duration LEASE = Duration.ofSeconds(15 + 20);

    /** Nothing new is sent for so long: longer than what the kernels have left to send takes. */
    private static final Duration SILENCE = Duration.ofSeconds(2);

    private static final int MESSAGES = 60_000;
    private static final List<String> STORM =
            List.of("--ckpt", "-np", "2", "./storm", "--messages", Integer.toString(MESSAGES), "--report", "500");
    private static final String ENDS_WELL = "storm: ok sent " + 2 * MESSAGES + " received " + 2 * MESSAGES;

    private final Path root = Cluster.projectRoot();

    @TempDir
    private Path directory;

    @BeforeEach
    void stage() throws IOException {
        DemoProgram.STORM.stage(root.resolve("build"), directory);
    }

    /** A storm on two nodes with one checkpoint, and a network that can be stopped. */
    private record Scene(Cluster cluster, DelaySwitch wire, MpirunRun run, String job) {
        String log(String daemon) throws IOException {
            return Files.readString(cluster.home().resolve(daemon + ".log"));
        }

        /** Begins the second checkpoint; returns when the job is frozen in all VMs and cannot be verified. */
        CompletableFuture<Commands.Result> freeze() throws Exception {
            wire.hold();
            CompletableFuture<Commands.Result> result = new CompletableFuture<>();
            Thread.ofVirtual().start(() -> {
                try {
                    result.complete(cluster.stillcut("checkpoint", job));
                } catch (IOException | InterruptedException e) {
                    result.completeExceptionally(e);
                }
            });
            for (String agent : List.of("agent-n1", "agent-n2")) {
                Waiting.untilTrue(
                        agent + " freezes",
                        STEP,
                        () -> log(agent)
                                .lines()
                                .anyMatch(line -> line.contains("FREEZE ") && line.contains("@2 done")));
            }
            return result;
        }

        void requireNothingAfterTheFreeze() throws IOException {
            for (String agent : List.of("agent-n1", "agent-n2")) {
                assertThat(log(agent)).doesNotContain("PAUSE " + job + "#1 " + job + "@2");
            }
        }

        /** Blocks until the VMs send nothing, and then until they do again. */
        void awaitStandstillAndTraffic(Duration limit) throws Exception {
            long[] seen = {-1, 0};
            Waiting.untilTrue("the job stands still", STEP, () -> {
                long bytes = wire.log().payloadBytes();
                if (bytes != seen[0]) {
                    seen[0] = bytes;
                    seen[1] = System.nanoTime();
                }
                return System.nanoTime() - seen[1] > SILENCE.toNanos();
            });
            Waiting.untilTrue(
                    "the job goes on by itself", limit, () -> wire.log().payloadBytes() > seen[0] + 100_000);
            wire.requireSound();
        }

        void awaitProgress() throws Exception {
            int lines = run.stdout().size();
            Waiting.untilTrue("progress", STEP, () -> run.stdout().size() > lines);
        }

        /** The next checkpoint is a good one, nothing is left of the second, and the job ends as if nothing had been. */
        void requireWhole() throws Exception {
            Commands.Result next = cluster.stillcut("checkpoint", job);
            assertThat(next.exitStatus()).as(next.stderr()).isZero();
            assertThat(cluster.json("list", job).path("checkpoints").findValuesAsText("reference"))
                    .containsExactly(job + "@1", job + "@3");
            assertThat(run.awaitExit(STEP)).as(run.transcript()).isZero();
            assertThat(run.stdout().getLast().text()).isEqualTo(ENDS_WELL);
            assertThat(cluster.json("status", job).path("job").path("epoch").asLong())
                    .as("the job was not restarted, it ran on")
                    .isEqualTo(1);
        }
    }

    /** What is done with a scene. */
    @FunctionalInterface
    private interface Act {
        void with(Scene scene) throws Exception;
    }

    private void play(Duration agentTimeout, Act act) throws Exception {
        try (DelaySwitch wire = DelaySwitch.start(Duration.ofMillis(1));
                Cluster cluster = Cluster.start(
                        root,
                        Cluster.Options.of(root, 2, 1)
                                .withAgentTimeout(agentTimeout)
                                .withDataNetwork(wire::add));
                MpirunRun run = cluster.mpirun(directory, STORM)) {
            String job = run.jobId(STEP);
            run.awaitStdout("the storm's first line", STEP, DemoProgram.STORM::isProgress);
            Commands.Result first = cluster.stillcut("checkpoint", job);
            assertThat(first.exitStatus()).as(first.stderr()).isZero();
            act.with(new Scene(cluster, wire, run, job));
        }
    }

    @Test
    void bytesOnTheWireFailTheCheckpointAndTheJobGoesOn() throws Exception {
        play(Duration.ofSeconds(6), scene -> {
            Commands.Result result = scene.freeze().get(STEP.toSeconds(), TimeUnit.SECONDS);
            assertThat(result.exitStatus()).isEqualTo(1);
            assertThat(result.stderr())
                    .hasLineCount(1)
                    .matches("stillcut: .*vm[01] 10\\.77\\.0\\.[12]:\\d+ to 10\\.77\\.0\\.[12]:\\d+"
                            + ".* bytes are (not acknowledged|not sent yet|on the wire)\\R");
            scene.requireNothingAfterTheFreeze();
            scene.wire().release();
            scene.awaitProgress();
            scene.requireWhole();
        });
    }

    @Test
    void jobGoesOnByItselfWhenTheCoordinatorIsKilledWhileItIsFrozen() throws Exception {
        play(Duration.ofSeconds(6), scene -> {
            CompletableFuture<Commands.Result> result = scene.freeze();
            scene.cluster().killCoordinator();
            scene.requireNothingAfterTheFreeze();
            scene.wire().release();
            scene.awaitStandstillAndTraffic(PATIENCE);
            assertThat(result.get(STEP.toSeconds(), TimeUnit.SECONDS).exitStatus())
                    .isEqualTo(4);
            scene.cluster().startCoordinator();
            scene.awaitProgress();
            scene.requireWhole();
        });
    }

    @Test
    void jobGoesOnByItselfWhenAnAgentHangsWhileItIsFrozen() throws Exception {
        // The coordinator waits for the agent, so that nobody but the guest itself can let the job go on.
        play(Duration.ofMinutes(2), scene -> {
            CompletableFuture<Commands.Result> result = scene.freeze();
            List<ProcessHandle> agent =
                    List.of(scene.cluster().node("n2").agent().toHandle());
            Processes.stop(agent);
            try {
                scene.requireNothingAfterTheFreeze();
                scene.wire().release();
                scene.awaitStandstillAndTraffic(LEASE);
                scene.awaitProgress();
            } finally {
                Processes.go(agent);
            }
            assertThat(result.get(STEP.toSeconds(), TimeUnit.SECONDS).exitStatus())
                    .isEqualTo(1);
            scene.requireWhole();
        });
    }
}
