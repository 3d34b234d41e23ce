package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A job that runs before its memory is there, is checkpointed at once, and killed and restarted from that checkpoint. */
@Tag("e2e")
class LazyRestartE2eTest {
    private static final int MESSAGES = 60_000;
    private static final Duration STEP = Duration.ofMinutes(3);
    private static final Duration WHOLE_JOB = Duration.ofMinutes(10);

    @Test
    void stormRestartedLazilyTwiceEndsExactly() throws Exception {
        Path root = Cluster.projectRoot();
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 2, 1))) {
            Path directory = Files.createDirectory(cluster.home().resolve("job"));
            DemoProgram.STORM.stage(root.resolve("build"), directory);
            String job;
            try (MpirunRun run = cluster.mpirun(
                    directory, List.of("--ckpt", "-np", "2", "./storm", "--messages", Integer.toString(MESSAGES)))) {
                job = run.jobId(STEP);
                run.awaitStdout("the storm's first line", STEP, DemoProgram.STORM::isProgress);
                success(cluster, "checkpoint", job);
                success(cluster, "cancel", job);
                run.awaitExit(STEP);
            }
            success(cluster, "restart", job, "--lazy");
            Waiting.untilTrue(
                    "the restarted job runs", STEP, () -> state(cluster, job).equals("running"));
            // Its memory is still on its way.
            success(cluster, "checkpoint", job);
            success(cluster, "cancel", job);
            Waiting.untilTrue(
                    "the job has ended", STEP, () -> state(cluster, job).equals("ended"));
            success(cluster, "restart", job + "@2", "--lazy");
            Waiting.untilTrue(
                    "the storm ends", WHOLE_JOB, () -> state(cluster, job).equals("ended"));
            String sent = Integer.toString(2 * MESSAGES);
            assertThat(success(cluster, "attach", job).lines())
                    .last()
                    .isEqualTo("storm: ok sent " + sent + " received " + sent);
            assertThat(lazyFills(cluster)).as("two VMs, restarted twice").isEqualTo(4);
        }
    }

    private static long lazyFills(Cluster cluster) throws Exception {
        long fills = 0;
        for (SimulatedNode node : cluster.nodes()) {
            fills += Files.readAllLines(cluster.home().resolve("agent-" + node.name() + ".log")).stream()
                    .filter(line -> line.contains("ram is complete after"))
                    .count();
        }
        return fills;
    }

    private static String success(Cluster cluster, String... arguments) throws Exception {
        Commands.Result result = cluster.stillcut(arguments);
        assertThat(result.exitStatus())
                .as(String.join(" ", arguments) + ": " + result.stderr())
                .isZero();
        return result.stdout();
    }

    private static String state(Cluster cluster, String job) throws Exception {
        return cluster.json("status", job).path("job").path("state").asText();
    }
}
