package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What can go wrong around a job, on real processes: one clear line each, and nothing that was committed is lost. */
@Tag("e2e")
class FaultE2eTest {
    private static final Duration STEP = Duration.ofMinutes(3);
    private static final Duration WHOLE_JOB = Duration.ofMinutes(8);
    private static final List<String> HEAT = List.of("./heat", "400", "400", "4000", "20");
    private static final String HEAT_CHECKSUM_START = "checksum ";

    private final Path root = Cluster.projectRoot();

    @TempDir
    private Path directory;

    @Test
    void jobGoesOnAfterAGuestThatDidNotAnswer() throws Exception {
        Path job = jobDirectory();
        Files.writeString(job.resolve("deaf.sh"), """
                echo going deaf
                sleep 1
                kill -STOP "$(pidof stillcut-guestd)"
                sleep 12
                kill -CONT "$(pidof stillcut-guestd)"
                echo hearing again
                sleep 5
                """);
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 1, 1));
                MpirunRun run = cluster.mpirun(job, List.of("--ckpt", "-np", "1", "sh", "deaf.sh"))) {
            String id = run.jobId(STEP);
            run.awaitStdout("deafness", STEP, line -> line.equals("going deaf"));
            Thread.sleep(1500); // Until the daemon is stopped, which nobody outside can see.
            Commands.Result failed = cluster.stillcut("checkpoint", id);
            assertThat(failed.exitStatus()).isEqualTo(1);
            assertThat(failed.stderr())
                    .isEqualTo(
                            "stillcut: PREPARE failed on node n1: vm0: the guest daemon did not answer within 5000 ms\n");
            run.awaitStdout("hearing", STEP, line -> line.equals("hearing again"));
            Commands.Result good = cluster.stillcut("checkpoint", id);
            assertThat(good.exitStatus()).as(good.stderr()).isZero();
            assertThat(run.awaitExit(WHOLE_JOB)).as(run.transcript()).isZero();
            assertThat(cluster.json("list", id).path("checkpoints")).hasSize(1);
        }
    }

    @Test
    void fullRepositoryFailsTheCheckpointAndNothingElse() throws Exception {
        Path job = heatDirectory();
        Cluster.Options small = Cluster.Options.of(root, 1, 1).withRepositoryBytes(16 << 20);
        try (Cluster cluster = Cluster.start(root, small);
                MpirunRun run = cluster.mpirun(job, heat("--ckpt", "-np", "1"))) {
            String id = run.jobId(STEP);
            run.awaitStdout("progress", STEP, DemoProgram.HEAT_C::isProgress);
            Commands.Result full = cluster.stillcut("checkpoint", id);
            assertThat(full.exitStatus()).isEqualTo(1);
            assertThat(full.stderr())
                    .startsWith("stillcut: the store is full for node n1: ")
                    .hasLineCount(1);
            cluster.resizeRepository(512 << 20);
            Commands.Result roomy = cluster.stillcut("checkpoint", id);
            assertThat(roomy.exitStatus()).as(roomy.stderr()).isZero();
            assertThat(run.awaitExit(WHOLE_JOB)).as(run.transcript()).isZero();
            assertThat(run.stdout().getLast().text()).isEqualTo(plainChecksum(job));
            assertThat(cluster.json("list", id).path("checkpoints")).hasSize(1);
        }
    }

    @Test
    void agentKilledInTheMiddleOfACheckpointFailsItAndTheJobIsRestarted() throws Exception {
        Path job = heatDirectory();
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 3, 1));
                MpirunRun run = cluster.mpirun(job, heat("--ckpt", "-H", "n1,n2", "-np", "2"))) {
            String id = run.jobId(STEP);
            run.awaitStdout("progress", STEP, DemoProgram.HEAT_C::isProgress);
            assertThat(cluster.stillcut("checkpoint", id).exitStatus()).isZero();
            Thread second = Thread.ofVirtual().start(() -> {
                try {
                    cluster.stillcut("checkpoint", id);
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            });
            run.awaitStderr("the second checkpoint", STEP, line -> line.contains(id + "@2: PREPARE"));
            cluster.node("n2").agent().destroyForcibly().waitFor();
            run.awaitStderr("its failure", STEP, line -> line.endsWith("checkpoint 2 failed: node n2 was lost"));
            assertThat(run.awaitExit(WHOLE_JOB)).as(run.transcript()).isZero();
            second.join();
            assertThat(run.stdout().getLast().text()).isEqualTo(plainChecksum(job));
            assertThat(cluster.json("list", id).path("checkpoints").findValuesAsText("reference"))
                    .containsExactly(id + "@1");
        }
    }

    @Test
    void coordinatorKilledWhileAJobRunsFindsItAgain() throws Exception {
        Path job = heatDirectory();
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 2, 1));
                MpirunRun run = cluster.mpirun(job, heat("--ckpt-interval", "4s", "-np", "2"))) {
            String id = run.jobId(STEP);
            run.awaitStdout("progress", STEP, DemoProgram.HEAT_C::isProgress);
            run.awaitStderr("a checkpoint in progress", STEP, line -> line.contains(": PREPARE"));
            cluster.killCoordinator();
            Commands.Result nobody = cluster.stillcut("status", id);
            assertThat(nobody.exitStatus()).isEqualTo(4);
            assertThat(nobody.stderr())
                    .startsWith("stillcut: no coordinator at unix:")
                    .hasLineCount(1);
            cluster.startCoordinator();
            assertThat(run.awaitExit(WHOLE_JOB)).as(run.transcript()).isZero();
            assertThat(run.stdout().getLast().text()).isEqualTo(plainChecksum(job));
            assertThat(progress(run)).doesNotHaveDuplicates();
            assertThat(cluster.json("status", id).path("job").path("epoch").asLong())
                    .as("the job was not restarted, it ran on")
                    .isEqualTo(1);
        }
    }

    @Test
    void vmThatDoesNotBootEndsTheJobWithOneLine() throws Exception {
        Path images = Files.createDirectory(directory.resolve("images"));
        for (String name : List.of("vmlinuz", "base.sqfs", "image.json")) {
            Files.createSymbolicLink(
                    images.resolve(name), root.resolve("build/image").resolve(name));
        }
        Files.writeString(images.resolve("initrd"), "this is no initrd");
        Cluster.Options options = Cluster.Options.of(root, 1, 1).withImages(images);
        Path job = heatDirectory();
        try (Cluster cluster = Cluster.start(root, options);
                MpirunRun run = cluster.mpirun(job, heat("--ckpt", "-np", "1"))) {
            String id = run.jobId(STEP);
            assertThat(run.awaitExit(STEP)).isEqualTo(1);
            assertThat(run.stderr().getLast().text())
                    .startsWith(
                            "mpirun: job " + id + ": could not be started: BOOT failed on node n1: vm0 did not boot");
            assertThat(cluster.node("n1").vms()).isEmpty();
            assertThat(cluster.node("n1").jobNamespaces()).isEmpty();
        }
    }

    @Test
    void interruptedWrapperDoesNotLeaveTheJobBehind() throws Exception {
        Path job = heatDirectory();
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 1, 1));
                MpirunRun run = cluster.mpirun(job, heat("--ckpt", "-np", "1"))) {
            String id = run.jobId(STEP);
            run.awaitStdout("progress", STEP, DemoProgram.HEAT_C::isProgress);
            Commands.run("kill", "-INT", Long.toString(run.process().pid()));
            assertThat(run.awaitExit(STEP))
                    .as("as Open MPI's: " + run.transcript())
                    .isEqualTo(1);
            Waiting.untilTrue(
                    "the end of the job",
                    STEP,
                    () -> cluster.json("status", id)
                            .path("job")
                            .path("state")
                            .asText()
                            .equals("ended"));
            assertThat(cluster.node("n1").vms()).isEmpty();
        }
    }

    @Test
    void aJobEndsWithTheExitStatusOfItsProgramAndCanBeRestartedByHand() throws Exception {
        Path job = jobDirectory();
        Files.writeString(job.resolve("seven.sh"), "echo one; sleep 8; echo two; exit 7\n");
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 1, 1));
                MpirunRun run = cluster.mpirun(job, List.of("--ckpt", "-np", "1", "sh", "seven.sh"))) {
            String id = run.jobId(STEP);
            run.awaitStdout("the first line", STEP, line -> line.equals("one"));
            assertThat(cluster.stillcut("checkpoint", id).exitStatus()).isZero();
            assertThat(cluster.stillcut("restart", id).stderr()).contains("job " + id + " is running");
            assertThat(run.awaitExit(WHOLE_JOB)).isEqualTo(7);
            assertThat(cluster.stillcut("restart", id + "@9").exitStatus()).isEqualTo(10);
            assertThat(cluster.stillcut("restart", id + "@1").exitStatus()).isZero();
            Commands.Result again = cluster.stillcut("attach", id);
            assertThat(again.exitStatus()).isEqualTo(7);
            assertThat(again.stdout()).isEqualTo("one\ntwo\n");
        }
    }

    private Path jobDirectory() throws Exception {
        return Files.createDirectory(directory.resolve("job"));
    }

    private Path heatDirectory() throws Exception {
        Path job = jobDirectory();
        DemoProgram.HEAT_C.stage(root.resolve("build"), job);
        return job;
    }

    private static List<String> heat(String... options) {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.addAll(HEAT);
        return arguments;
    }

    private static String plainChecksum(Path job) throws Exception {
        List<String> command = new ArrayList<>(List.of("mpirun", "--allow-run-as-root", "-np", "1"));
        command.addAll(HEAT);
        return Commands.run(command, Map.of(), job, STEP)
                .stdout()
                .lines()
                .filter(line -> line.startsWith(HEAT_CHECKSUM_START))
                .findFirst()
                .orElseThrow();
    }

    private static List<String> progress(MpirunRun run) {
        return run.stdout().stream()
                .map(MpirunRun.Line::text)
                .filter(DemoProgram.HEAT_C::isProgress)
                .toList();
    }
}
