package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A program that takes part in its checkpoints asks for them itself, and is told that it was restarted from one. */
@Tag("e2e")
class SafePointE2eTest {
    private static final Duration STEP = Duration.ofMinutes(3);
    private static final Duration WHOLE_JOB = Duration.ofMinutes(6);
    private static final List<String> PROGRAM = List.of("-np", "2", "./safepoint", "600", "200");

    @Test
    void programAsksForItsCheckpointsAndLearnsOfItsRestart() throws Exception {
        Path root = Cluster.projectRoot();
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 2, 1))) {
            Path directory = Files.createDirectory(cluster.home().resolve("job"));
            Files.copy(root.resolve("build/examples/safepoint"), directory.resolve("safepoint"));
            List<String> arguments = new ArrayList<>(List.of("--ckpt"));
            arguments.addAll(PROGRAM);
            try (MpirunRun run = cluster.mpirun(directory, arguments)) {
                String job = run.jobId(STEP);
                run.awaitStderr("its first checkpoint", STEP, line -> line.contains("checkpoint committed: " + job));
                for (SimulatedNode node : cluster.nodes()) {
                    node.killVms();
                }
                run.awaitStderr("the restart", STEP, line -> line.contains("running, epoch 2"));
                assertThat(run.awaitExit(WHOLE_JOB)).as(run.transcript()).isZero();
                assertThat(run.stderr())
                        .extracting(MpirunRun.Line::text)
                        .anyMatch(line -> line.equals("rank 1: restarted"))
                        // What it had said before, up to the same offset, is not said again.
                        .anyMatch(line -> line.endsWith("tarted from it: " + job + "@1"));
                assertThat(run.stdout()).extracting(MpirunRun.Line::text).isEqualTo(undisturbed(directory));
            }
        }
    }

    private static List<String> undisturbed(Path directory) throws Exception {
        List<String> command = new ArrayList<>(
                List.of("mpirun", "--allow-run-as-root", "--oversubscribe", "--mca", "btl", "self,vader"));
        command.addAll(PROGRAM);
        Process plain = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        List<String> lines = plain.inputReader().lines().toList();
        assertThat(plain.waitFor()).isZero();
        return lines;
    }
}
