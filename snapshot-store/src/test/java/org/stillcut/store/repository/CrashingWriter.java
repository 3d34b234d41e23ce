package org.stillcut.store.repository;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.ByteRange;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.image.ImageInput;

/** The program that {@link RepositoryCrashFaultTest} and {@link TerminationFaultTest} end: writes checkpoint after checkpoint, and prints the number of each committed one. */
final class CrashingWriter {

    static final String JOB = "solver";
    static final int IMAGE_BYTES = 1 << 20;

    /** What the program does on SIGTERM. */
    enum Ending {
        /** The process ends in the middle of whatever its threads do. */
        ABRUPT,
        /** It finishes the checkpoint in hand and closes all in order, as an agent does. */
        IN_ORDER
    }

    private CrashingWriter() {}

    /** The image of each checkpoint follows from its number. */
    static List<ByteRange> advance(ModelImage image, long sequence) {
        return image.mutate(new SplittableRandom(sequence), 12);
    }

    /** Starts the program with an index and unpacked libraries in this directory, which is its working directory. */
    static Process start(Path root, Path directory, ProcessBuilder.Redirect errors) throws IOException {
        return start(root, directory, errors, Ending.ABRUPT);
    }

    static Process start(Path root, Path directory, ProcessBuilder.Redirect errors, Ending ending) throws IOException {
        // A killed process cannot remove the native libraries that it unpacked; here the test does.
        Path temporary = Files.createDirectories(directory.resolve("native"));
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-Xmx128m",
                        "-Djava.io.tmpdir=" + temporary,
                        "-cp",
                        System.getProperty("java.class.path"),
                        CrashingWriter.class.getName(),
                        root.toString(),
                        directory.resolve("index").toString(),
                        ending.name())
                .directory(directory.toFile())
                .redirectError(errors)
                .start();
    }

    public static void main(String[] arguments) throws StoreException {
        Path root = Path.of(arguments[0]);
        AtomicBoolean ending = new AtomicBoolean();
        if (Ending.valueOf(arguments[2]) == Ending.IN_ORDER) {
            Thread main = Thread.currentThread();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                ending.set(true);
                try {
                    main.join();
                } catch (InterruptedException e) {
                    throw new IllegalStateException("nobody interrupts this", e);
                }
            }));
        }
        StoreOptions options = StoreOptions.DEFAULT.withPackTargetBytes(128 << 10);
        try (Repository repository = Repository.open(root, Path.of(arguments[1]), options, StoreEnvironment.system())) {
            List<Long> existing = repository.catalog().listCheckpoints(JOB);
            long sequence = existing.isEmpty() ? 0 : existing.getLast();
            ModelImage image = new ModelImage(IMAGE_BYTES);
            for (long past = 1; past <= sequence; past++) {
                advance(image, past);
            }
            @Nullable ImageRef base = sequence == 0 ? null : imageOf(repository, sequence);
            System.out.println("ready");
            while (sequence < 100_000 && !ending.get()) {
                sequence++;
                List<ByteRange> changed = advance(image, sequence);
                base = writeCheckpoint(repository, sequence, image, base, changed);
                System.out.println(sequence);
            }
        }
    }

    private static ImageRef writeCheckpoint(
            Repository repository, long sequence, ModelImage image, @Nullable ImageRef base, List<ByteRange> changed)
            throws StoreException {
        ImageInput input = base == null
                ? new ImageInput.Full(image.source(), 4096)
                : new ImageInput.Overlay(image.source(), base, changed);
        try (SnapshotWriter writer = repository.newSnapshot(new SnapshotIdentity(JOB, sequence, 1, 0))) {
            ImageRef ref = writer.writeImage("ram", input).ref();
            TreeMap<Integer, SnapshotRef> refs = new TreeMap<>();
            refs.put(0, writer.finish(new TreeMap<>()));
            repository.catalog().commit(new CheckpointManifest(JOB, sequence, 1, Instant.EPOCH, refs, new TreeMap<>()));
            return ref;
        }
    }

    static ImageRef imageOf(Repository repository, long sequence) throws StoreException {
        CheckpointManifest found =
                repository.catalog().findCheckpoint(JOB, sequence).orElseThrow();
        return repository.catalog().readSnapshot(found.snapshot(0)).image("ram");
    }
}
