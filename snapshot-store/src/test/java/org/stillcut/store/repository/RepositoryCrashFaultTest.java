package org.stillcut.store.repository;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.store.StoreException;

/** Kills a writing process at random moments and checks that each checkpoint it reported is there, bit for bit, and nothing partial. */
class RepositoryCrashFaultTest {

    private static final int ROUNDS = 10;
    private static final int MOST_COMMITS = 6;
    private static final int LONGEST_REST_MILLIS = 60;
    private static final int PROGRESS_LIMIT_SECONDS = 60;

    @TempDir
    Path directory;

    @Test
    void killedWriterLosesNoCommittedCheckpoint() throws StoreException, IOException, InterruptedException {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        Path root = directory.resolve("repository");
        Repository.create(root, StoreEnvironment.system());
        long reported = 0;
        Map<Long, byte[]> expected = new TreeMap<>();
        ModelImage image = new ModelImage(CrashingWriter.IMAGE_BYTES);
        for (int round = 0; round < ROUNDS; round++) {
            reported = Math.max(reported, runAndKill(root, random));
            // The killed writer's index, an index of another node that is behind, and one that is empty must all do.
            String index = List.of("index", "other", "empty" + round).get(round % 3);
            String situation = "seed " + seed + " round " + round + " index " + index;
            long verified = expected.size();
            try (Repository repository =
                    Repository.open(root, directory.resolve(index), StoreOptions.DEFAULT, StoreEnvironment.system())) {
                List<Long> listed = repository.catalog().listCheckpoints(CrashingWriter.JOB);
                for (long sequence = verified + 1; sequence <= listed.size(); sequence++) {
                    CrashingWriter.advance(image, sequence);
                    expected.put(sequence, image.bytes());
                }
                assertThat(listed).as(situation).containsExactlyElementsOf(expected.keySet());
                assertThat((long) listed.size()).as(situation).isGreaterThanOrEqualTo(reported);
                for (long sequence : listed) {
                    if (sequence > verified || random.nextInt(10) == 0) {
                        assertThat(ModelImage.readAll(
                                        repository.openImage(CrashingWriter.imageOf(repository, sequence))))
                                .as("%s checkpoint %d", situation, sequence)
                                .isEqualTo(expected.get(sequence));
                    }
                }
            }
        }
        assertThat(reported).as("seed %d: the writer got to work", seed).isPositive();
    }

    /** Returns the last number that the writer printed. */
    private long runAndKill(Path root, SplittableRandom random) throws IOException, InterruptedException {
        Process writer = CrashingWriter.start(root, directory, ProcessBuilder.Redirect.INHERIT);
        AtomicLong last = new AtomicLong();
        // After some commits, and then some more time, so that the writer dies anywhere in the next one.
        CountDownLatch lines = new CountDownLatch(1 + random.nextInt(MOST_COMMITS));
        Thread output = Thread.ofVirtual().start(() -> readOutput(writer, lines, last));
        try {
            assertThat(lines.await(PROGRESS_LIMIT_SECONDS, TimeUnit.SECONDS))
                    .as("the writer goes on, last committed %d", last.get())
                    .isTrue();
            // Not to wait for anything: the moment of the writer's death is what varies.
            Thread.sleep(random.nextInt(LONGEST_REST_MILLIS));
        } finally {
            // Through the handle, which leaves the pipe open: what the writer printed before it died is still read.
            writer.toHandle().destroyForcibly();
            writer.waitFor();
            output.join();
        }
        return last.get();
    }

    private static void readOutput(Process writer, CountDownLatch progress, AtomicLong last) {
        try (BufferedReader lines = writer.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.equals("ready")) {
                    last.set(Long.parseLong(line));
                }
                progress.countDown();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
