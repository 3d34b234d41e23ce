package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageSource;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.SnapshotWriter;
import org.stillcut.store.repository.StoreEnvironment;
import org.stillcut.store.repository.StoreOptions;

/** What an operator does with a repository, on a real one without a coordinator. */
class RepositoryCommandsTest {

    private static final int IMAGE_BYTES = 400_000;

    @TempDir
    Path directory;

    private Path root = Path.of("");

    @BeforeEach
    void writeThreeCheckpoints() throws StoreException {
        root = directory.resolve("repository");
        Repository.create(root, StoreEnvironment.system());
        try (Repository repository =
                Repository.open(root, directory.resolve("index"), StoreOptions.DEFAULT, StoreEnvironment.system())) {
            for (int sequence = 1; sequence <= 3; sequence++) {
                checkpoint(repository, sequence);
            }
        }
    }

    private static void checkpoint(Repository repository, int sequence) throws StoreException {
        try (SnapshotWriter writer = repository.newSnapshot(new SnapshotIdentity("heat", sequence, 1, 0))) {
            writer.writeImage("ram", new ImageInput.Full(new Noise(sequence), 4096));
            TreeMap<Integer, SnapshotRef> refs = new TreeMap<>(Map.of(0, writer.finish(new TreeMap<>())));
            Instant created = Instant.EPOCH.plus(Duration.ofHours(sequence));
            repository.catalog().commit(new CheckpointManifest("heat", sequence, 1, created, refs, new TreeMap<>()));
        }
    }

    /** Noise that differs from the next number's. */
    private record Noise(int seed) implements ImageSource {
        @Override
        public long lengthBytes() {
            return IMAGE_BYTES;
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) {
            byte[] all = new byte[IMAGE_BYTES];
            new SplittableRandom(seed).nextBytes(all);
            target.put(all, (int) offsetBytes, target.remaining());
        }
    }

    private Console stillcut(String... words) {
        List<String> all = new ArrayList<>(List.of(words));
        all.addAll(List.of("--repository", root.toString()));
        return Console.of(() -> StillcutMain.execute(all.toArray(new String[0])));
    }

    @Test
    void verifyTellsDamageAndTheCheckpointThatItTouches() throws IOException {
        assertThat(stillcut("verify", "--read-data").out()).startsWith("no damage found: 3 checkpoints");
        Path pack = packs().getFirst();
        byte[] content = Files.readAllBytes(pack);
        content[100_000] ^= 1;
        Files.write(pack, content);
        assertThat(stillcut("verify").status()).isZero();
        Console damaged = stillcut("verify", "--read-data");
        assertThat(damaged.status()).isEqualTo(ExitStatus.DAMAGED);
        assertThat(damaged.out()).contains("damage: chunk ", "cannot be restored: VM 0, image ram: chunk ");
        assertThat(stillcut("verify", "--read-data", "--json").out())
                .startsWith("{\"schema\":\"stillcut.verify/1\",\"whole\":false,")
                .contains("\"damagedCheckpoints\":[{\"reference\":\"heat@");
    }

    private List<Path> packs() throws IOException {
        try (Stream<Path> files = Files.walk(root.resolve("packs"))) {
            return files.filter(file -> file.toString().endsWith(".pack"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void forgottenCheckpointsFreeTheirSpaceWithThePrune() {
        assertThat(stillcut("forget", "heat", "--keep-last", "1", "--dry-run").out())
                .isEqualTo("would forget heat@1\nwould forget heat@2\n");
        assertThat(stillcut("protect", "heat@2").out()).isEqualTo("heat@2 is protected\n");
        assertThat(stillcut("forget", "heat", "--keep-last", "1").out()).isEqualTo("forgot heat@1\n");
        Console refused = stillcut("forget", "heat@2");
        assertThat(refused.status()).isEqualTo(ExitStatus.FAILED);
        assertThat(refused.err()).isEqualTo("stillcut: checkpoint heat@2 is protected\n");
        assertThat(stillcut("protect", "heat@2", "--off").status()).isZero();
        assertThat(stillcut("forget", "heat@2").status()).isZero();
        assertThat(stillcut("prune", "--dry-run").out())
                .startsWith("would free 8")
                .contains(": 2 packs removed");
        Console pruned = stillcut("prune", "--json");
        assertThat(pruned.out()).startsWith("{\"schema\":\"stillcut.prune/1\",\"dryRun\":false,\"finished\":true,");
        assertThat(stillcut("stats").out()).contains("checkpoints", "1 of 1 jobs");
        assertThat(stillcut("verify", "--read-data").status()).isZero();
        assertThat(stillcut("forget", "heat@2").status()).isEqualTo(ExitStatus.MISSING);
    }

    @Test
    void forgetDoesNotGuess() {
        assertThat(stillcut("forget").status()).isEqualTo(ExitStatus.USAGE);
        assertThat(stillcut("forget", "heat").status()).isEqualTo(ExitStatus.USAGE);
        assertThat(stillcut("forget", "other", "--keep-last", "1").status()).isEqualTo(ExitStatus.MISSING);
        assertThat(stillcut("forget", "heat", "--keep-within", "soon").status()).isEqualTo(ExitStatus.USAGE);
        assertThat(stillcut("forget", "heat", "--keep-within", "90m").out()).isEqualTo("forgot heat@1\n");
    }

    @Test
    void checkpointsAreListedWithoutACoordinator() throws IOException {
        stillcut("protect", "heat@2");
        stillcut("tag", "heat@2", "good");
        Path record = root.resolve("commits/heat/" + "0".repeat(18) + "1");
        byte[] content = Files.readAllBytes(record);
        content[content.length - 1] ^= 1;
        Files.write(record, content);

        List<String> lines = stillcut("list").out().lines().toList();
        assertThat(lines).hasSize(4);
        assertThat(lines.get(0)).contains("JOB", "MARKS");
        assertThat(lines.get(1)).contains("heat", "1", "damaged").doesNotContain("*");
        assertThat(lines.get(2))
                .contains("heat", "2", "390.6 KiB", "protected good")
                .doesNotContain("*");
        assertThat(lines.get(3)).contains("heat", "3", "*").doesNotContain("protected");

        assertThat(stillcut("list", "heat", "--json").out())
                .startsWith("{\"schema\":\"stillcut.checkpoints/1\",\"checkpoints\":[{\"reference\":\"heat@1\",")
                .contains("\"damage\":\"", "\"imageBytes\":400000", "\"protected\":true,\"tags\":[\"good\"]");
        assertThat(stillcut("list", "other").status()).isEqualTo(ExitStatus.MISSING);
        assertThat(stillcut("list", "../x").status()).isEqualTo(ExitStatus.USAGE);
    }

    @Test
    void oneCheckpointIsShownWithoutACoordinator() {
        stillcut("tag", "heat@3", "good");
        assertThat(stillcut("show", "heat").out())
                .startsWith("checkpoint heat@3\ntaken      1970-01-01 ")
                .contains(", epoch 1\n", "marks      good\n", "ram");
        assertThat(stillcut("show", "heat@3", "--json").out())
                .startsWith("{\"schema\":\"stillcut.checkpoint/1\",\"checkpoint\":{\"reference\":\"heat@3\",")
                .contains("\"attributes\":{}");
        assertThat(stillcut("show", "heat@7").status()).isEqualTo(ExitStatus.MISSING);
    }

    @Test
    void tagsAreKept() {
        assertThat(stillcut("tag", "heat@1", "good", "paper").out()).isEqualTo("heat@1: good paper\n");
        assertThat(stillcut("tag", "heat@1", "--remove", "paper").out()).isEqualTo("heat@1: good\n");
        assertThat(stillcut("tag", "heat@1").out()).isEqualTo("heat@1: good\n");
        assertThat(stillcut("tag", "heat@1", "no blanks").status()).isEqualTo(ExitStatus.USAGE);
        assertThat(stillcut("forget", "--keep-tag", "good").out()).isEqualTo("forgot heat@2\nforgot heat@3\n");
    }

    @Test
    void exportedCheckpointIsImportedElsewhere() throws StoreException {
        Path file = directory.resolve("heat.ckpt");
        assertThat(stillcut("export", "heat@2", file.toString()).out()).startsWith("exported heat@2 to ");
        assertThat(stillcut("export", "heat@2", file.toString()).status()).isEqualTo(ExitStatus.FAILED);
        assertThat(stillcut("export", "heat@9", file.toString()).status()).isEqualTo(ExitStatus.MISSING);
        root = directory.resolve("other");
        Repository.create(root, StoreEnvironment.system());
        assertThat(stillcut("import", file.toString(), "--job", "cold").out()).startsWith("imported cold@2, ");
        assertThat(stillcut("verify", "--read-data").out()).startsWith("no damage found: 1 checkpoints");
        assertThat(stillcut("import", root.resolve("config").toString()).status())
                .isEqualTo(ExitStatus.DAMAGED);
    }

    @Test
    void differenceAndIndexAreTold() {
        assertThat(stillcut("diff", "heat@1", "heat@2").out()).contains("ram", "390.6 KiB");
        assertThat(stillcut("diff", "heat@1", "heat@1").out()).contains("0 B");
        String index = directory.resolve("index").toString();
        assertThat(stillcut("store", "rebuild-index", "--index", index).out()).endsWith(" rebuilt from 3 packs\n");
        assertThat(stillcut("verify", "--index", index).status()).isZero();
    }

    @Test
    void missingRepositoryIsOneLine() {
        root = directory.resolve("nowhere");
        Console console = stillcut("stats", "--json");
        assertThat(console.status()).isEqualTo(ExitStatus.MISSING);
        assertThat(console.err()).startsWith("stillcut: cannot open ").endsWith("no such file\n");
        assertThat(console.out()).startsWith("{\"schema\":\"stillcut.error/1\"");
    }
}
