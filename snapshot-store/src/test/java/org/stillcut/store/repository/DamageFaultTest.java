package org.stillcut.store.repository;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.inspect.VerifyReport;
import org.stillcut.store.progress.Progress;

/**
 * Flips single bytes of a repository on disk: packs, chunk index, manifests, commit records, marks, config. A verification tells each of them, or it is
 * harmless, which means that every checkpoint still reads as it should. And whatever it is, no checkpoint ever reads as something else.
 */
class DamageFaultTest {

    private static final int FLIPS = 60;
    private static final int FLIPS_FULL = 1_000;

    @TempDir
    Path directory;

    private final ModelStore model = new ModelStore();
    private final List<Path> files = new ArrayList<>();
    private Path root = Path.of("");
    private Path index = Path.of("");

    @Test
    void everyFlippedByteIsToldOrHarmless() throws StoreException, IOException {
        flip(System.nanoTime(), FLIPS);
    }

    @Test
    @Tag("full")
    void everyFlippedByteOfManyIsToldOrHarmless() throws StoreException, IOException {
        flip(System.nanoTime(), FLIPS_FULL);
    }

    private void flip(long seed, int flips) throws StoreException, IOException {
        SplittableRandom random = new SplittableRandom(seed);
        write(random);
        assertThat(look("nothing is flipped").isWhole()).isTrue();
        int harmless = 0;
        for (int i = 0; i < flips; i++) {
            // By kind first: otherwise nearly all would hit the content of packs.
            Path file = pick(random);
            byte[] content = Files.readAllBytes(file);
            int offset = random.nextInt(content.length);
            // Tables and headers are small: half of the flips go to the ends of a file.
            if (random.nextBoolean()) {
                offset = random.nextBoolean()
                        ? random.nextInt(Math.min(128, content.length))
                        : content.length - 1 - random.nextInt(Math.min(512, content.length));
            }
            byte[] flipped = content.clone();
            flipped[offset] ^= (byte) (1 + random.nextInt(255));
            String situation = "seed " + seed + " flip " + i + " of " + directory.relativize(file) + " at " + offset
                    + " of " + content.length;
            Map<Path, byte[]> indexBefore = indexFiles();
            Files.write(file, flipped);
            VerifyReport report = look(situation);
            if (report.isWhole()) {
                harmless++;
            }
            restoreIndex(indexBefore);
            Files.write(file, content);
        }
        assertThat(harmless).as("seed %d: harmless flips of %d", seed, flips).isLessThan(flips / 2);
        assertThat(look("all is mended, seed " + seed).isWhole()).isTrue();
    }

    /** Opens, verifies and reads everything; a checkpoint that reads must be right, and must read when it was not told to be damaged. */
    private VerifyReport look(String situation) throws StoreException {
        VerifyReport report;
        try (Repository repository = open()) {
            report = repository.verify(true, Progress.NONE);
            for (CheckpointRef checkpoint : model.possible.keySet()) {
                byte[] content;
                try {
                    content = ModelStore.content(repository, checkpoint);
                } catch (StoreException | java.util.NoSuchElementException e) {
                    assertThat(report.damaged().keySet())
                            .as("%s: %s does not read (%s), report %s", situation, checkpoint, e, report)
                            .contains(checkpoint);
                    continue;
                }
                assertThat(Arrays.equals(content, model.possible.get(checkpoint)))
                        .as("%s: %s reads as something else", situation, checkpoint)
                        .isTrue();
            }
        } catch (StoreException e) {
            // Refused as a whole: the config, or a format of another version.
            assertThat(situation).as("%s", e).contains("config");
            return new VerifyReport(0, 0, 0, 0, List.of(String.valueOf(e.getMessage())), new TreeMap<>());
        }
        return report;
    }

    private Repository open() throws StoreException {
        return Repository.open(
                root, index, StoreOptions.DEFAULT.withPackTargetBytes(128 << 10), StoreEnvironment.system());
    }

    private void write(SplittableRandom random) throws StoreException, IOException {
        root = directory.resolve("repository");
        index = directory.resolve("index");
        Repository.create(root, StoreEnvironment.system());
        try (Repository repository = open()) {
            for (int i = 0; i < 3; i++) {
                model.checkpoint(repository, model.job("heat"), random);
                model.checkpoint(repository, model.job("storm"), random);
            }
            repository.keeper().protect(new CheckpointRef("heat", 2), true);
            repository.keeper().tag(new CheckpointRef("heat", 2), new TreeSet<>(List.of("good")), new TreeSet<>());
        }
        try (Stream<Path> all = Files.walk(directory)) {
            all.filter(Files::isRegularFile)
                    .filter(file -> !file.startsWith(root.resolve("holds")))
                    .sorted()
                    .forEach(files::add);
        }
    }

    private Path pick(SplittableRandom random) throws IOException {
        Path area = List.of(
                        root.resolve("packs"),
                        root.resolve("packs"),
                        root.resolve("manifests"),
                        root.resolve("commits"),
                        root.resolve("config"),
                        index)
                .get(random.nextInt(6));
        List<Path> candidates = new ArrayList<>();
        for (Path file : files) {
            if (file.startsWith(area) && Files.exists(file) && Files.size(file) > 0) {
                candidates.add(file);
            }
        }
        return candidates.get(random.nextInt(candidates.size()));
    }

    private Map<Path, byte[]> indexFiles() throws IOException {
        Map<Path, byte[]> content = new TreeMap<>();
        try (Stream<Path> all = Files.list(index)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                content.put(file, Files.readAllBytes(file));
            }
        }
        return content;
    }

    /** A damaged index is made anew when it is opened, with other files. */
    private void restoreIndex(Map<Path, byte[]> before) throws IOException {
        try (Stream<Path> all = Files.list(index)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                Files.delete(file);
            }
        }
        for (Map.Entry<Path, byte[]> file : before.entrySet()) {
            Files.write(file.getKey(), file.getValue());
        }
    }
}
