package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A message storm on four VMs over two nodes, checkpointed at random moments, survives the death of all its VMs. */
@Tag("e2e")
@Tag("full")
class StormRestartE2eTest {
    private static final int CHECKPOINTS = 10;
    private static final int MESSAGES = 150_000;
    private static final Duration STEP = Duration.ofMinutes(3);
    private static final Duration WHOLE_JOB = Duration.ofMinutes(10);

    @Test
    void stormEndsExactlyAfterTenCheckpointsAndTheDeathOfAllVms() throws Exception {
        long seed = System.nanoTime();
        System.out.println("random moments from seed " + seed);
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        Path root = Cluster.projectRoot();
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 2, 2))) {
            Path directory = Files.createDirectory(cluster.home().resolve("job"));
            DemoProgram.STORM.stage(root.resolve("build"), directory);
            List<String> arguments = List.of("--ckpt", "-np", "4", "./storm", "--messages", Integer.toString(MESSAGES));
            try (MpirunRun run = cluster.mpirun(directory, arguments)) {
                String job = run.jobId(STEP);
                run.awaitStdout("the storm's first line", STEP, DemoProgram.STORM::isProgress);
                for (int i = 1; i <= CHECKPOINTS; i++) {
                    Thread.sleep(random.nextLong(1000)); // The random moment is what is tested.
                    Commands.Result result = cluster.stillcut("checkpoint", job);
                    assertThat(result.exitStatus()).as(result.stderr()).isZero();
                    assertThat(result.stdout()).isEqualTo("Snapshot Ref.: %3d %s@%d%n".formatted(i, job, i));
                }
                for (SimulatedNode node : cluster.nodes()) {
                    node.killVms();
                }
                run.awaitStderr("the restart", STEP, line -> line.contains("running, epoch 2"));
                assertThat(run.awaitExit(WHOLE_JOB)).as(run.transcript()).isZero();
                String sent = Integer.toString(4 * MESSAGES);
                assertThat(run.stdout().getLast().text()).isEqualTo("storm: ok sent " + sent + " received " + sent);
                assertThat(cluster.json("list", job).path("checkpoints")).hasSize(CHECKPOINTS);
            }
        }
    }
}
