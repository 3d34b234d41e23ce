package org.stillcut.store.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.store.ByteRange;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.CorruptChunkException;
import org.stillcut.store.ImageRef;
import org.stillcut.store.MissingChunkException;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreIoException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.WriteStats;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageReader;
import org.stillcut.store.image.ImageSource;
import org.stillcut.store.image.WrittenImage;

class RepositoryTest {

    private static final StoreEnvironment SYSTEM = StoreEnvironment.system();
    private static final int CHUNK = 4096;

    @TempDir
    Path directory;

    private Path root;

    @BeforeEach
    void create() throws StoreException {
        root = directory.resolve("repository");
        Repository.create(root, SYSTEM);
    }

    private Repository open(String index) throws StoreException {
        return Repository.open(
                root, directory.resolve(index), StoreOptions.DEFAULT.withPackTargetBytes(256 << 10), SYSTEM);
    }

    @Test
    void createRefusesExistingRepositoryAndOpenRefusesNone() {
        assertThatExceptionOfType(StoreConflictException.class).isThrownBy(() -> Repository.create(root, SYSTEM));
        assertThatExceptionOfType(StoreMissingException.class)
                .isThrownBy(() -> Repository.openCatalog(directory, SYSTEM));
        assertThatExceptionOfType(StoreMissingException.class)
                .isThrownBy(() -> Repository.open(directory, directory.resolve("i"), StoreOptions.DEFAULT, SYSTEM)
                        .close());
    }

    @Test
    void checkpointOfTwoVmsComesBack() throws StoreException {
        ModelImage ram = noise(1, 700_001);
        try (Repository repository = open("index")) {
            TreeMap<Integer, SnapshotRef> refs = new TreeMap<>();
            for (int vm = 0; vm < 2; vm++) {
                try (SnapshotWriter writer = repository.newSnapshot(new SnapshotIdentity("solver", 1, 1, vm))) {
                    writer.writeImage("ram", new ImageInput.Full(ram.source(), CHUNK));
                    writer.writeImage(
                            "device", new ImageInput.Full(noise(vm, 999).source(), CHUNK));
                    refs.put(vm, writer.finish(attributes("vm", Integer.toString(vm))));
                }
            }
            repository
                    .catalog()
                    .commit(new CheckpointManifest("solver", 1, 1, Instant.EPOCH, refs, attributes("a", "b")));
        }
        try (Repository repository = open("index")) {
            CheckpointManifest found =
                    repository.catalog().findCheckpoint("solver", 1).orElseThrow();
            for (int vm = 0; vm < 2; vm++) {
                var snapshot = repository.catalog().readSnapshot(found.snapshot(vm));
                assertThat(snapshot.attributes()).containsEntry("vm", Integer.toString(vm));
                assertThat(read(repository, snapshot.image("ram"))).isEqualTo(ram.bytes());
                assertThat(read(repository, snapshot.image("device")))
                        .isEqualTo(noise(vm, 999).bytes());
            }
        }
    }

    @Test
    void statsTellNewKnownAndZeroChunks() throws StoreException {
        ImageSource source = ModelImage.noiseThenZeros(10 * CHUNK, 100 * CHUNK);
        try (Repository repository = open("index");
                SnapshotWriter writer = repository.newSnapshot(new SnapshotIdentity("solver", 1, 1, 0))) {
            WriteStats first =
                    writer.writeImage("a", new ImageInput.Full(source, CHUNK)).stats();
            assertThat(first.chunksNew()).isEqualTo(10);
            assertThat(first.chunksZero()).isEqualTo(90);
            assertThat(first.bytesRead()).isEqualTo(100L * CHUNK);
            assertThat(first.storedBytes()).isBetween(10L * CHUNK, 10L * CHUNK + 20_000);
            WrittenImage second = writer.writeImage("b", new ImageInput.Full(source, CHUNK));
            assertThat(second.stats()).isEqualTo(new WriteStats(100L * CHUNK, 0, 10, 90, 0));
            WrittenImage third = writer.writeImage(
                    "b", new ImageInput.Dirty(source, second.ref(), List.of(new ByteRange(5 * CHUNK + 1, 2))));
            assertThat(third.stats()).isEqualTo(new WriteStats(CHUNK, 0, 1, 0, 0));
            assertThat(third.ref()).isEqualTo(second.ref());
            assertThat(writer.stats()).isEqualTo(first.plus(second.stats()).plus(third.stats()));
        }
    }

    @Test
    void scatteredPagesOfAnOverlayCostAPageEach() throws StoreException {
        int chunk = ImageInput.DEFAULT_CHUNK_SIZE_BYTES;
        ImageSource image = ModelImage.noiseThenZeros(64 * chunk, 64 * chunk);
        List<ByteRange> changed = new ArrayList<>();
        for (int i = 0; i < 32; i++) {
            changed.add(new ByteRange((2L * i + 1) * chunk - 4096, 4096));
        }
        ImageSource pages = ModelImage.noiseThenZeros(64 * chunk - 1, 64 * chunk);
        try (Repository repository = open("index")) {
            ImageRef base =
                    write(repository, 1, new ImageInput.Full(image, chunk)).ref();
            WrittenImage next = write(repository, 2, new ImageInput.Overlay(pages, base, changed));
            assertThat(next.stats().bytesRead()).isEqualTo(32 * 4096);
            // Each page with the chunk that refers to it and its base, and the index: 64 entries and the root.
            assertThat(next.stats().storedBytes()).isBetween(32L * 4096, 32L * (4096 + 52 + 80 + 52) + 4096);
            WrittenImage third = write(repository, 3, new ImageInput.Overlay(pages, next.ref(), changed));
            assertThat(third.ref()).isEqualTo(next.ref());
        }
    }

    @Test
    void nodeReadsAndSharesWhatAnotherNodeWrote() throws StoreException {
        ModelImage image = noise(1, 300_000);
        try (Repository one = open("one");
                Repository two = open("two")) {
            ImageRef ref =
                    write(one, 1, new ImageInput.Full(image.source(), CHUNK)).ref();
            assertThat(read(two, ref)).isEqualTo(image.bytes());
            WrittenImage again = write(two, 2, new ImageInput.Full(image.source(), CHUNK));
            assertThat(again.ref()).isEqualTo(ref);
            assertThat(again.stats().chunksNew()).isZero();
            assertThat(again.stats().storedBytes()).isZero();
            List<ByteRange> changed = image.mutate(new SplittableRandom(3), 4);
            ImageRef next = write(two, 3, new ImageInput.Dirty(image.source(), ref, changed))
                    .ref();
            assertThat(read(one, next)).isEqualTo(image.bytes());
        }
    }

    @Test
    void writersWorkSideBySide() throws StoreException, InterruptedException {
        List<ModelImage> images = new ArrayList<>();
        List<ImageRef> refs = new ArrayList<>();
        try (Repository one = open("one");
                Repository two = open("two")) {
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                int number = i;
                images.add(noise(i / 2, 1_500_000));
                refs.add(null);
                threads.add(Thread.ofVirtual().start(() -> {
                    try {
                        Repository repository = number % 2 == 0 ? one : two;
                        ImageInput input =
                                new ImageInput.Full(images.get(number).source(), CHUNK);
                        refs.set(number, write(repository, number, input).ref());
                    } catch (StoreException e) {
                        throw new AssertionError(e);
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            for (int i = 0; i < 4; i++) {
                assertThat(read(i % 2 == 0 ? two : one, refs.get(i)))
                        .isEqualTo(images.get(i).bytes());
            }
        }
    }

    @Test
    void deletedIndexIsRebuilt() throws StoreException, IOException {
        ModelImage image = noise(1, 600_000);
        ImageRef ref;
        try (Repository repository = open("index")) {
            ref = write(repository, 1, new ImageInput.Full(image.source(), CHUNK))
                    .ref();
        }
        deleteTree(directory.resolve("index"));
        try (Repository repository = open("index")) {
            assertThat(read(repository, ref)).isEqualTo(image.bytes());
            assertThat(write(repository, 2, new ImageInput.Full(image.source(), CHUNK))
                            .stats()
                            .chunksNew())
                    .isZero();
        }
    }

    @Test
    void vanishedPackIsForgottenAndItsChunksAreMissing() throws StoreException, IOException {
        ModelImage image = noise(1, 600_000);
        try (Repository repository = open("index")) {
            ImageRef ref = write(repository, 1, new ImageInput.Full(image.source(), CHUNK))
                    .ref();
            Files.delete(packs().getFirst());
            assertThatExceptionOfType(MissingChunkException.class).isThrownBy(() -> {
                try (Repository other = open("other")) {
                    read(other, ref);
                }
            });
            assertThat(repository.refresh().vanished()).hasSize(1);
            assertThatExceptionOfType(MissingChunkException.class).isThrownBy(() -> read(repository, ref));
            ImageRef again = write(repository, 2, new ImageInput.Full(image.source(), CHUNK))
                    .ref();
            assertThat(again).isEqualTo(ref);
            assertThat(read(repository, ref)).isEqualTo(image.bytes());
        }
    }

    @Test
    void flippedBitInAPackIsFoundOnReading() throws StoreException, IOException {
        ModelImage image = noise(1, 50_000);
        try (Repository repository = open("index")) {
            ImageRef ref = write(repository, 1, new ImageInput.Full(image.source(), CHUNK))
                    .ref();
            Path pack = packs().getFirst();
            byte[] content = Files.readAllBytes(pack);
            // The first byte of the first record's payload: of a zstd frame it is the magic number, so it always
            // matters.
            content[32 + 52] ^= 1;
            Files.write(pack, content);
            assertThatExceptionOfType(CorruptChunkException.class)
                    .isThrownBy(() -> read(repository, ref))
                    .matches(e -> e.offsetBytes() == 32)
                    .matches(e -> pack.toString().contains(e.pack().toString()));
        }
    }

    @Test
    void packWithoutFooterIsStillUsed() throws StoreException, IOException {
        ModelImage image = noise(1, 50_000);
        try (Repository repository = open("index")) {
            ImageRef ref = write(repository, 1, new ImageInput.Full(image.source(), CHUNK))
                    .ref();
            Path pack = packs().getFirst();
            byte[] content = Files.readAllBytes(pack);
            Files.write(pack, Arrays.copyOf(content, content.length - 10));
            try (Repository other = open("other")) {
                assertThat(read(other, ref)).isEqualTo(image.bytes());
            }
            Files.write(pack, new byte[40]);
            try (Repository third = open("third")) {
                assertThat(third.catalog().listJobs()).isEmpty();
                assertThatExceptionOfType(MissingChunkException.class).isThrownBy(() -> read(third, ref));
            }
        }
    }

    @Test
    void readsAtRandom() throws StoreException {
        ModelImage image = noise(7, 5_000_003);
        SplittableRandom random = new SplittableRandom(8);
        try (Repository repository = open("index")) {
            ImageRef ref = write(repository, 1, new ImageInput.Full(image.source(), CHUNK))
                    .ref();
            ImageReader reader = repository.openImage(ref);
            byte[] expected = image.bytes();
            for (int i = 0; i < 200; i++) {
                int offset = random.nextInt(expected.length);
                ByteBuffer target = ByteBuffer.allocate(random.nextInt(Math.min(20_000, expected.length - offset)));
                reader.read(offset, target);
                assertThat(target.array()).isEqualTo(Arrays.copyOfRange(expected, offset, offset + target.capacity()));
            }
        }
    }

    @Test
    void failedSourceEndsTheWriterAndNothingElse() throws StoreException, IOException {
        ImageSource broken = new ImageSource() {
            @Override
            public long lengthBytes() {
                return 3 << 20;
            }

            @Override
            public void read(long offsetBytes, ByteBuffer target) throws IOException {
                if (offsetBytes > 1 << 20) {
                    throw new IOException("guest memory went away");
                }
                byte[] noise = new byte[target.remaining()];
                new SplittableRandom(offsetBytes).nextBytes(noise);
                target.put(noise);
            }
        };
        try (Repository repository = open("index")) {
            try (SnapshotWriter writer = repository.newSnapshot(new SnapshotIdentity("solver", 1, 1, 0))) {
                assertThatExceptionOfType(StoreIoException.class)
                        .isThrownBy(() -> writer.writeImage("ram", new ImageInput.Full(broken, CHUNK)));
                assertThatIllegalStateException().isThrownBy(() -> writer.finish(new TreeMap<>()));
            }
            try (Stream<Path> names = Files.list(root.resolve("packs"))) {
                assertThat(names.map(name -> String.valueOf(name.getFileName())))
                        .noneMatch(name -> name.startsWith("tmp-"));
            }
            ModelImage image = noise(1, 100_000);
            ImageRef ref = write(repository, 2, new ImageInput.Full(image.source(), CHUNK))
                    .ref();
            assertThat(read(repository, ref)).isEqualTo(image.bytes());
        }
    }

    @Test
    void onlyTheOwnerHasAccess() throws StoreException, IOException {
        try (Repository repository = open("index")) {
            write(repository, 1, new ImageInput.Full(noise(1, 10_000).source(), CHUNK));
        }
        try (Stream<Path> all = Files.walk(root)) {
            for (Path path : all.toList()) {
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                        .as(path.toString())
                        .isEqualTo(Files.isDirectory(path) ? "rwx------" : "rw-------");
            }
        }
    }

    private List<Path> packs() throws IOException {
        try (Stream<Path> all = Files.walk(root.resolve("packs"))) {
            return all.filter(path -> path.toString().endsWith(".pack"))
                    .sorted()
                    .toList();
        }
    }

    private static WrittenImage write(Repository repository, long sequence, ImageInput input) throws StoreException {
        try (SnapshotWriter writer = repository.newSnapshot(new SnapshotIdentity("solver", sequence, 1, 0))) {
            WrittenImage image = writer.writeImage("ram", input);
            writer.finish(new TreeMap<>());
            return image;
        }
    }

    private static byte[] read(Repository repository, ImageRef ref) throws StoreException {
        return ModelImage.readAll(repository.openImage(ref));
    }

    private static ModelImage noise(long seed, int length) {
        ModelImage image = new ModelImage(length);
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 1 + length / 20_000; i++) {
            image.mutate(random, 1);
        }
        return image;
    }

    private static SortedMap<String, String> attributes(String key, String value) {
        TreeMap<String, String> attributes = new TreeMap<>();
        attributes.put(key, value);
        return attributes;
    }

    private static void deleteTree(Path tree) throws IOException {
        try (Stream<Path> all = Files.walk(tree)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
