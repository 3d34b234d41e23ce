package org.stillcut.store.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.StoreException;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageSource;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.SnapshotWriter;
import org.stillcut.store.repository.StoreEnvironment;
import org.stillcut.store.repository.StoreOptions;

/** Snapshots of several VMs, each written by a node of its own at the same time into one repository. */
final class ManyWriters {

    private ManyWriters() {}

    /** Each VM's image is an equal part of the file. */
    static void run(Path image, Path directory, int vms) throws IOException, StoreException {
        Files.createDirectory(directory);
        Path root = directory.resolve("repository");
        Repository.create(root, StoreEnvironment.system());
        try (BenchInput input = BenchInput.open(image);
                ExecutorService nodes = Executors.newFixedThreadPool(vms)) {
            long part = input.lengthBytes()
                    / vms
                    / ImageInput.DEFAULT_CHUNK_SIZE_BYTES
                    * ImageInput.DEFAULT_CHUNK_SIZE_BYTES;
            List<Future<?>> running = new ArrayList<>();
            for (int vm = 0; vm < vms; vm++) {
                int number = vm;
                running.add(nodes.submit(() -> {
                    write(root, directory.resolve("index-" + number), new Part(input, number * part, part), number);
                    return number;
                }));
            }
            for (Future<?> each : running) {
                each.get();
            }
        } catch (InterruptedException | ExecutionException e) {
            throw new IOException("a writer failed", e);
        }
    }

    private static void write(Path root, Path index, ImageSource source, int vm) throws StoreException {
        try (Repository repository = Repository.open(root, index, StoreOptions.DEFAULT, StoreEnvironment.system());
                SnapshotWriter writer = repository.newSnapshot(new SnapshotIdentity("bench", 1, 1, vm))) {
            writer.writeImage("ram", new ImageInput.Full(source, ImageInput.DEFAULT_CHUNK_SIZE_BYTES));
            writer.finish(new TreeMap<>());
        }
    }

    private record Part(BenchInput whole, long offsetBytes, long lengthBytes) implements ImageSource {
        @Override
        public void read(long offset, ByteBuffer target) throws IOException {
            whole.read(offsetBytes + offset, target);
        }
    }
}
