package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The job's directory: one for all VMs, part of the cut, and the user's again when the job has ended. */
@Tag("e2e")
class FilesE2eTest {
    private static final Duration STEP = Duration.ofMinutes(3);
    private static final int TURNS = 40;

    /** Two ranks in two VMs that hand a number to and fro in files, and append to one of their own. */
    private static final String PROGRAM = """
            me=$OMPI_COMM_WORLD_RANK
            other=$((1 - me))
            [ "$me" = 1 ] || { rm obsolete; echo more >>input; mkdir results; ln -s results/end link; }
            i=1
            while [ "$i" -le %d ]; do
                if [ "$me" = 0 ]; then
                    echo "$i" >turn.tmp; mv turn.tmp turn
                    until [ "$(cat answer 2>/dev/null)" = "$i" ]; do sleep 0.02; done
                else
                    until [ "$(cat turn 2>/dev/null)" = "$i" ]; do sleep 0.02; done
                    echo "$i" >answer.tmp; mv answer.tmp answer
                fi
                echo "$me: $i" >>"log.$me"
                [ "$me" = 1 ] || echo "turn $i"
                i=$((i + 1))
            done
            [ "$me" = 1 ] || echo done >results/end
            """.formatted(TURNS);

    @TempDir
    private Path directory;

    @Test
    void filesAreSharedRolledBackByARestartAndComeBack() throws Exception {
        Path root = Cluster.projectRoot();
        Path job = Files.createDirectory(directory.resolve("job with a space"));
        Files.writeString(job.resolve("program.sh"), PROGRAM);
        Files.writeString(job.resolve("input"), "some\n");
        Files.writeString(job.resolve("obsolete"), "of no use\n");
        List<String> words = List.of("--ckpt", "-H", "n1,n2", "-np", "2", "sh", "program.sh");
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 3, 1));
                MpirunRun run = cluster.mpirun(job, words)) {
            String id = run.jobId(STEP);
            run.awaitStdout("some turns", STEP, line -> line.equals("turn 5"));
            Commands.Result checkpoint = cluster.stillcut("checkpoint", id);
            assertThat(checkpoint.exitStatus()).as(checkpoint.stderr()).isZero();
            Path now = Files.createDirectory(directory.resolve("now"));
            Commands.Result fetched = cluster.stillcut("fetch", id, "log.1", "--to", now.toString());
            assertThat(fetched.exitStatus()).as(fetched.stderr()).isZero();
            assertThat(now.resolve("log.1")).content().startsWith("1: 1\n1: 2\n");
            run.awaitStdout("more turns", STEP, line -> line.equals("turn 12"));
            cluster.killNode("n2");
            assertThat(run.awaitExit(STEP)).as(run.transcript()).isZero();
            assertThat(cluster.json("status", id).path("job").path("restarts").asInt())
                    .isEqualTo(1);
            assertFilesAreThoseOfAnUndisturbedRun(job);
            assertThat(cluster.json("files", id).path("files"))
                    .extracting(file -> file.path("path").asText())
                    .containsExactly(
                            "answer", "input", "link", "log.0", "log.1", "obsolete", "results", "results/end", "turn");
        }
    }

    private static void assertFilesAreThoseOfAnUndisturbedRun(Path job) throws Exception {
        for (int rank = 0; rank < 2; rank++) {
            String prefix = rank + ": ";
            assertThat(job.resolve("log." + rank))
                    .hasContent(IntStream.rangeClosed(1, TURNS)
                            .mapToObj(turn -> prefix + turn + "\n")
                            .collect(Collectors.joining()));
        }
        assertThat(job.resolve("input")).hasContent("some\nmore\n");
        assertThat(job.resolve("link")).isSymbolicLink().hasContent("done\n");
        try (var files = Files.list(job)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "answer", "input", "link", "log.0", "log.1", "program.sh", "results", "turn");
        }
    }
}
