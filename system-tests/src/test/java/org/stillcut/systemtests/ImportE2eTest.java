package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A checkpoint goes from one cluster to another as a file, with everything that a restart needs. */
@Tag("e2e")
class ImportE2eTest {
    private static final Duration STEP = Duration.ofMinutes(3);
    private static final Duration PLAIN_RUN = Duration.ofMinutes(2);
    private static final DemoProgram HEAT = DemoProgram.HEAT_C;
    private static final String ITERATIONS = "1200";

    private final Path root = Cluster.projectRoot();

    @TempDir
    private Path directory;

    private record Exported(String job, Path file) {}

    @Test
    void clusterWithoutTheJobAndItsImageRestartsIt() throws Exception {
        Path job = Files.createDirectory(directory.resolve("job"));
        HEAT.stage(root.resolve("build"), job);
        Exported exported = runAndExport(job);
        try (Cluster other = Cluster.start(root, Cluster.Options.of(root, 1, 2).withImages(imagesWithoutBase()))) {
            succeed(other.stillcut(
                    "import",
                    exported.file().toString(),
                    "--repository",
                    other.repository().toString()));
            succeed(other.stillcut("restart", exported.job()));
            Commands.Result attached = other.stillcut("attach", exported.job());
            assertThat(attached.exitStatus())
                    .as(attached.stderr() + other.logs())
                    .isZero();
            List<String> lines = attached.stdout().lines().toList();
            assertThat(lines.getLast()).isEqualTo(plainChecksum(job));
            assertThat(lines)
                    .as("what came before the checkpoint is not printed again")
                    .hasSizeGreaterThan(1);
            assertThat(other.json("status", exported.job())
                            .path("job")
                            .path("epoch")
                            .asLong())
                    .isEqualTo(2);
        }
    }

    private Exported runAndExport(Path job) throws Exception {
        Path file = directory.resolve("exported");
        try (Cluster first = Cluster.start(root, Cluster.Options.of(root, 1, 2));
                MpirunRun run =
                        first.mpirun(job, List.of("--ckpt", "-np", "2", "./heat", "400", "400", ITERATIONS, "20"))) {
            String id = run.jobId(STEP);
            run.awaitStdout("progress", STEP, HEAT::isProgress);
            succeed(first.stillcut("checkpoint", id));
            succeed(first.stillcut(
                    "export",
                    id,
                    file.toString(),
                    "--repository",
                    first.repository().toString()));
            return new Exported(id, file);
        }
    }

    /** The node has another guest image, and none of the name that the job was started with. */
    private Path imagesWithoutBase() throws IOException {
        Path images = Files.createDirectory(directory.resolve("images"));
        Files.writeString(images.resolve("vmlinuz"), "another kernel");
        Files.writeString(images.resolve("initrd"), "another RAM disk");
        Files.writeString(images.resolve("other.sqfs"), "another root");
        Files.writeString(images.resolve("image.json"), """
                {"sha256": {"vmlinuz": "aa", "initrd": "bb", "other.sqfs": "cc"}}
                """);
        return images;
    }

    private String plainChecksum(Path job) throws IOException, InterruptedException {
        Commands.Result plain = Commands.run(
                List.of(
                        root.resolve("scripts/mpirun").toString(),
                        "--allow-run-as-root",
                        "--oversubscribe",
                        "-np",
                        "2",
                        "./heat",
                        "400",
                        "400",
                        ITERATIONS,
                        "20"),
                Map.of(),
                job,
                PLAIN_RUN);
        return plain.stdout().lines().toList().getLast();
    }

    private static void succeed(Commands.Result result) {
        assertThat(result.exitStatus()).as(result.stderr()).isZero();
    }
}
