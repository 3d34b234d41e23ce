package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The proof that the end-to-end tests prove something: without the barriers the same snapshots of the same job are worth
 * nothing.
 */
@Tag("e2e")
class UncoordinatedE2eTest {
    private static final int LIMIT_SECONDS = 60;

    @TempDir
    private Path directory;

    @Test
    void snapshotsTakenNodeByNodeDoNotSurviveARestart() throws Exception {
        assertThat(result("one-by-one")).doesNotContain("storm: ok");
    }

    @Test
    void theSameSnapshotsTakenWithBarriersSurvive() throws Exception {
        assertThat(result("barriers")).startsWith("RESULT ended 0 storm: ok");
    }

    private String result(String how) throws Exception {
        Path root = Cluster.projectRoot();
        Path tar = directory.resolve("files.tar");
        Path storm = Files.createDirectory(directory.resolve("storm"));
        Files.copy(root.resolve("build/examples/storm"), storm.resolve("storm"));
        assertThat(storm.resolve("storm").toFile().setExecutable(true)).isTrue();
        Commands.run("tar", "--create", "--file=" + tar, "--directory=" + directory, "storm");
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                StandInCoordinator.class.getName(),
                how,
                tar.toString(),
                Integer.toString(LIMIT_SECONDS));
        try (Cluster cluster = Cluster.startWithStandIn(root, Cluster.Options.of(root, 2, 1), command)) {
            if (!cluster.coordinator().waitFor(5, TimeUnit.MINUTES)) {
                throw new IOException("no result: " + cluster.logs());
            }
            return Files.readAllLines(cluster.home().resolve("coordinator.log")).stream()
                    .filter(line -> line.startsWith("RESULT "))
                    .findFirst()
                    .orElseThrow(() -> new IOException("no result: " + logs(cluster)));
        }
    }

    private static String logs(Cluster cluster) {
        try {
            return cluster.logs();
        } catch (IOException e) {
            return e.toString();
        }
    }
}
