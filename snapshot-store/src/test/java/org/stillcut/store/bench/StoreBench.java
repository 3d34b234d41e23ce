package org.stillcut.store.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import org.stillcut.store.ByteRange;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.StoreException;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageReader;
import org.stillcut.store.io.RestoredFile;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.SnapshotWriter;
import org.stillcut.store.repository.StoreEnvironment;
import org.stillcut.store.repository.StoreOptions;

/**
 * Compares the store with restic and borg, in one run and on the same file: first, unchanged, changed in runs, changed page by page, and back to a file.
 * The others read the whole file each time; the store is told what changed where a tracker would know, and reads all where it says "all". Then a quarter of
 * the image for each of four VMs, stored by four writers at once as on four nodes.
 *
 * <p>Arguments: an empty directory; the image or {@code -}; the length of the image to make, in MiB; {@code --json} on demand.
 */
final class StoreBench {

    private static final int STORE_THREADS = 2;
    private static final int VMS = 4;
    private static final int WARM_UP_RESTORES = 6;
    private static final long WARM_UP_BYTES = 128L << 20;

    private final Path directory;
    private final boolean json;
    private final List<Result> results = new ArrayList<>();

    private record Cost(double wallSeconds, double cpuSeconds) {}

    private record Result(String program, String step, Cost cost, long repositoryBytes) {}

    /** Something that is measured. */
    @FunctionalInterface
    private interface Work {
        void run() throws IOException, StoreException;
    }

    private StoreBench(Path directory, boolean json) {
        this.directory = directory;
        this.json = json;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException, StoreException {
        Path directory = Path.of(arguments[0]);
        Path given = Path.of(arguments[1]);
        Path image = directory.resolve("image");
        if (given.toString().equals("-")) {
            BenchInput.make(image, Long.parseLong(arguments[2]) << 20);
        } else {
            Files.copy(given, image, StandardCopyOption.COPY_ATTRIBUTES);
        }
        boolean json = arguments.length > 3 && arguments[3].equals("--json");
        new StoreBench(directory, json).run(image);
    }

    /** An agent stores many images in its life: what is measured is not the compiler's first look at the code. */
    private void warmUp() throws IOException, StoreException {
        Path root = directory.resolve("warm");
        Path file = directory.resolve("warm-image");
        BenchInput.make(file, WARM_UP_BYTES);
        Repository.create(root, StoreEnvironment.system());
        try (BenchInput input = BenchInput.open(file);
                Repository repository = Repository.open(
                        root, directory.resolve("warm-index"), StoreOptions.DEFAULT, StoreEnvironment.system());
                SnapshotWriter writer = repository.newSnapshot(new SnapshotIdentity("warm", 1, 1, 0))) {
            ImageRef whole = writer.writeImage("ram", new ImageInput.Full(input, ImageInput.DEFAULT_CHUNK_SIZE_BYTES))
                    .ref();
            ImageRef image = writer.writeImage("ram", new ImageInput.Dirty(input, whole, input.change(1, true)))
                    .ref();
            writer.finish(new TreeMap<>());
            for (int round = 0; round < WARM_UP_RESTORES; round++) {
                try (RestoredFile restored =
                        RestoredFile.create(directory.resolve("warm-restored-" + round), WARM_UP_BYTES)) {
                    repository.openImage(image).readTo(restored::write);
                }
            }
        }
    }

    private void run(Path image) throws IOException, InterruptedException, StoreException {
        warmUp();
        List<Peer> peers = Peer.installed(directory);
        for (Peer peer : peers) {
            peer.create();
        }
        Path root = directory.resolve("repository");
        Repository.create(root, StoreEnvironment.system());
        StoreOptions options = StoreOptions.DEFAULT.withWorkerThreads(STORE_THREADS);
        try (BenchInput input = BenchInput.open(image);
                Repository repository =
                        Repository.open(root, directory.resolve("index"), options, StoreEnvironment.system())) {
            ImageInput all = new ImageInput.Full(input, ImageInput.DEFAULT_CHUNK_SIZE_BYTES);
            Optional<ImageRef> base = Optional.empty();
            for (String step : List.of("first", "unchanged", "clustered", "scattered")) {
                ImageInput wanted = all;
                if (step.equals("clustered") || step.equals("scattered")) {
                    List<ByteRange> changed = input.change(step.hashCode(), step.equals("scattered"));
                    wanted = new ImageInput.Dirty(input, base.orElseThrow(), changed);
                }
                base = Optional.of(store(repository, step, wanted));
                for (Peer peer : peers) {
                    double[] cost = peer.backup(step, image);
                    add(peer.name(), step, new Cost(cost[0], cost[1]), BenchInput.treeBytes(peer.repository()));
                }
            }
            restore(repository, base.orElseThrow(), image);
            for (Peer peer : peers) {
                double[] cost = peer.restore("scattered", image);
                add(peer.name(), "restore", new Cost(cost[0], cost[1]), 0);
            }
        }
        Cost together = measure(() -> ManyWriters.run(image, directory.resolve("many"), VMS));
        add(
                "stillcut",
                "first, " + VMS + " VMs at once",
                together,
                BenchInput.treeBytes(directory.resolve("many/repository")));
        double[] copy = Peer.shell("dd if=" + image + " of=" + directory.resolve("copy")
                + " bs=1M iflag=direct oflag=direct conv=fsync status=none");
        add("dd O_DIRECT", "restore", new Cost(copy[0], copy[1]), 0);
        print(image);
    }

    private ImageRef store(Repository repository, String step, ImageInput input) throws IOException, StoreException {
        List<ImageRef> written = new ArrayList<>();
        Cost cost = measure(() -> {
            try (SnapshotWriter writer = repository.newSnapshot(new SnapshotIdentity("bench", results.size(), 1, 0))) {
                written.add(writer.writeImage("ram", input).ref());
                writer.finish(new TreeMap<>());
            }
        });
        boolean tracked = input instanceof ImageInput.Dirty;
        add("stillcut", step + (tracked ? "" : " (all)"), cost, BenchInput.treeBytes(directory.resolve("repository")));
        return written.getFirst();
    }

    private void restore(Repository repository, ImageRef image, Path original) throws IOException, StoreException {
        Path restored = directory.resolve("restored");
        Cost cost = measure(() -> {
            ImageReader reader = repository.openImage(image);
            try (RestoredFile file = RestoredFile.create(restored, reader.lengthBytes())) {
                reader.readTo(file::write);
                file.force();
            }
        });
        add("stillcut", "restore", cost, 0);
        if (Files.mismatch(restored, original) != -1) {
            throw new IllegalStateException("what was restored is not what was stored");
        }
    }

    private static Cost measure(Work work) throws IOException, StoreException {
        var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long cpu = system.getProcessCpuTime();
        long wall = System.nanoTime();
        work.run();
        return new Cost((System.nanoTime() - wall) / 1e9, (system.getProcessCpuTime() - cpu) / 1e9);
    }

    private void add(String program, String step, Cost cost, long repositoryBytes) {
        results.add(new Result(program, step, cost, repositoryBytes));
    }

    private void print(Path image) throws IOException {
        if (!json) {
            System.out.printf(Locale.ROOT, "image of %d MiB%n", Files.size(image) >> 20);
            System.out.printf("%-14s %-20s %8s %8s %14s%n", "program", "step", "wall s", "CPU s", "repository MB");
        }
        for (Result result : results) {
            if (json) {
                line("wall", result, result.cost().wallSeconds(), "s");
                line("cpu", result, result.cost().cpuSeconds(), "s");
                if (result.repositoryBytes() > 0) {
                    line("repository", result, (double) result.repositoryBytes(), "bytes");
                }
            } else {
                System.out.printf(
                        Locale.ROOT,
                        "%-14s %-20s %8.2f %8.2f %14s%n",
                        result.program(),
                        result.step(),
                        result.cost().wallSeconds(),
                        result.cost().cpuSeconds(),
                        result.repositoryBytes() > 0 ? Long.toString(result.repositoryBytes() / 1_000_000) : "");
            }
        }
    }

    private static void line(String metric, Result result, double value, String unit) {
        System.out.printf(
                Locale.ROOT,
                "{\"bench\":\"store\",\"program\":\"%s\",\"step\":\"%s\",\"metric\":\"%s\",\"value\":%.3f,\"unit\":\"%s\",\"n\":1}%n",
                result.program(),
                result.step(),
                metric,
                value,
                unit);
    }
}
