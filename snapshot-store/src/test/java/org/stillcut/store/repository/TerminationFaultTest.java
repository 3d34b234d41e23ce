package org.stillcut.store.repository;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.store.StoreException;
import org.stillcut.store.repository.CrashingWriter.Ending;

/**
 * Ends a process with SIGTERM in the middle of writing, with RocksDB and zstd at work: abruptly, and after closing all in order. A JVM was once seen to crash
 * near that moment; it must end by the signal and nothing else.
 */
class TerminationFaultTest {

    private static final int ROUNDS = 6;
    private static final int ROUNDS_FULL = 200;
    private static final int SIGTERM_STATUS = 128 + 15;
    private static final int LIMIT_SECONDS = 60;
    private static final int LONGEST_REST_MILLIS = 300;

    @TempDir
    Path directory;

    @Test
    void terminatedWriterDoesNotCrash() throws StoreException, IOException, InterruptedException {
        run(ROUNDS);
    }

    @Test
    @Tag("full")
    void terminatedWriterNeverCrashes() throws StoreException, IOException, InterruptedException {
        run(ROUNDS_FULL);
    }

    private void run(int rounds) throws StoreException, IOException, InterruptedException {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        Path root = directory.resolve("repository");
        Repository.create(root, StoreEnvironment.system());
        for (int round = 0; round < rounds; round++) {
            Ending ending = round % 2 == 0 ? Ending.ABRUPT : Ending.IN_ORDER;
            Set<String> before = unfinished(root);
            Process writer = CrashingWriter.start(root, directory, ProcessBuilder.Redirect.DISCARD, ending);
            try (BufferedReader lines = writer.inputReader()) {
                assertThat(lines.readLine()).isEqualTo("ready");
                lines.readLine();
                // Not to wait for anything: the moment of the signal is what varies.
                Thread.sleep(random.nextInt(LONGEST_REST_MILLIS));
                // Through the handle, which leaves the pipe open.
                writer.toHandle().destroy();
                lines.lines().forEach(line -> {});
                assertThat(writer.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
            } finally {
                writer.destroyForcibly();
            }
            assertThat(writer.exitValue())
                    .as("seed %d round %d %s", seed, round, ending)
                    .isEqualTo(SIGTERM_STATUS);
            if (ending == Ending.IN_ORDER) {
                assertThat(unfinished(root)).as("seed %d round %d", seed, round).isSubsetOf(before);
            }
        }
        try (Stream<Path> files = Files.list(directory)) {
            List<String> crashes = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith("hs_err"))
                    .toList();
            assertThat(crashes).isEmpty();
        }
    }

    /** Holds, and packs under temporary names. */
    private static Set<String> unfinished(Path root) throws IOException {
        Set<String> names = new TreeSet<>();
        for (String part : List.of("holds", "packs")) {
            try (Stream<Path> files = Files.list(root.resolve(part))) {
                files.map(file -> file.getFileName().toString())
                        .filter(name -> name.length() > 2)
                        .forEach(names::add);
            }
        }
        return names;
    }
}
