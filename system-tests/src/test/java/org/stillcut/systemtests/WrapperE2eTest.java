package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What of the wrapper shows only with VMs behind it: docs/mpirun.md has the rest. */
@Tag("e2e")
class WrapperE2eTest {
    private static final Duration STEP = Duration.ofMinutes(3);

    private final Path root = Cluster.projectRoot();

    @TempDir
    private Path directory;

    /** As a user's shell does it. */
    private static MpirunRun withInput(Cluster cluster, Path input, String... words) throws Exception {
        List<String> command = new ArrayList<>(
                List.of("bash", "-c", "input=$1; shift; exec \"$@\" <\"$input\"", "shell", input.toString()));
        command.add(cluster.script("mpirun"));
        command.addAll(List.of(words));
        Path work = Files.createDirectories(input.resolveSibling("work"));
        return MpirunRun.start(command, cluster.environment(), work);
    }

    private static List<String> lines(MpirunRun run) {
        return run.stdout().stream().map(MpirunRun.Line::text).sorted().toList();
    }

    @Test
    void programsOfTheSystemRunInVmsThatStandForTheHostsWithTheirInputAndExitStatus() throws Exception {
        Path input = Files.writeString(directory.resolve("input"), "hello\n");
        String program = "echo \"$OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE, $(nproc --all) CPUs: $(cat)\"; exit 7";
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 1, 2));
                MpirunRun run = withInput(cluster, input, "--ckpt", "-H", "n1:2", "/bin/sh", "-c", program)) {
            assertThat(run.awaitExit(STEP)).as(run.transcript()).isEqualTo(7);
            assertThat(lines(run)).containsExactly("0 of 2, 2 CPUs: hello", "1 of 2, 2 CPUs: ");
            Commands.Result refused = Commands.run(
                    List.of(cluster.script("mpirun"), "--ckpt-image=fortran", "-np", "1", "true"),
                    cluster.environment(),
                    Files.createDirectories(directory.resolve("work")),
                    STEP);
            assertThat(refused.exitStatus()).isEqualTo(2);
            assertThat(refused.stderr())
                    .isEqualTo("mpirun: no node has the guest image 'fortran'; there are: base, java\n");
        }
    }

    @Test
    void jobSuspendedAgainAndAgainGoesOnReadingItsInputWhereTheCheckpointWas() throws Exception {
        List<String> numbers = IntStream.range(0, 400).mapToObj(String::valueOf).toList();
        Path input = Files.writeString(directory.resolve("input"), String.join("\n", numbers) + "\n");
        String program = "while read -r line; do echo \"got $line\"; sleep 0.1; done";
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 1, 1));
                MpirunRun run = withInput(cluster, input, "--ckpt", "-np", "1", "sh", "-c", program)) {
            String id = run.jobId(STEP);
            run.awaitStdout("the first numbers", STEP, line -> line.equals("got 10"));
            suspend(cluster, id);
            assertThat(run.awaitExit(STEP)).as(run.transcript()).isEqualTo(85);
            assertThat(cluster.node("n1").vms()).as("its nodes are free").isEmpty();
            assertThat(cluster.stillcut("restart", id).exitStatus()).isZero();
            Waiting.untilTrue(
                    "it goes on",
                    STEP,
                    () -> cluster.json("status", id)
                            .path("job")
                            .path("state")
                            .asText()
                            .equals("running"));
            suspend(cluster, id);
            assertThat(cluster.stillcut("wait", id).exitStatus()).isEqualTo(85);
            assertThat(cluster.stillcut("restart", id).exitStatus()).isZero();
            Commands.Result rest = cluster.stillcut("attach", id);
            assertThat(rest.exitStatus()).as(rest.stderr()).isZero();
            assertThat(rest.stdout().lines())
                    .containsExactlyElementsOf(
                            numbers.stream().map("got "::concat).toList());
        }
    }

    private static void suspend(Cluster cluster, String id) throws Exception {
        Commands.Result suspended = cluster.stillcut("checkpoint", id, "--term");
        assertThat(suspended.exitStatus()).as(suspended.stderr()).isZero();
    }

    @Test
    void signalsReachTheRanksAndEndThemAsMpirunDoes() throws Exception {
        String program = "trap 'echo user' USR1; echo up; while :; do sleep 0.1; done";
        Path work = Files.createDirectory(directory.resolve("work"));
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 1, 1));
                MpirunRun run = cluster.mpirun(work, List.of("--ckpt", "-np", "1", "sh", "-c", program))) {
            String id = run.jobId(STEP);
            run.awaitStdout("the rank", STEP, line -> line.equals("up"));
            kill("USR1", run);
            run.awaitStdout("the signal", STEP, line -> line.equals("user"));
            kill("TERM", run);
            assertThat(run.awaitExit(STEP)).as(run.transcript()).isEqualTo(1);
            assertThat(Stream.of(run.stderr().getLast().text()))
                    .containsExactly("mpirun: job " + id + " ended with status 1 after signal 15");
            assertThat(cluster.node("n1").vms()).isEmpty();
        }
    }

    private static void kill(String signal, MpirunRun run) throws Exception {
        Commands.run("kill", "-" + signal, Long.toString(run.process().pid()));
    }
}
