package org.stillcut.systemtests.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;

/**
 * Directories for one guest and its repository, which go with this.
 *
 * @param shared on a tmpfs
 * @param disk on a disk
 */
record BenchPlace(Path shared, Path disk) implements AutoCloseable {
    static BenchPlace create() throws IOException {
        return new BenchPlace(
                Files.createTempDirectory(Path.of("/dev/shm"), "stillcut-bench-"),
                Files.createTempDirectory(Path.of("/var/tmp"), "stillcut-bench-"));
    }

    /** A guest of this size in here. */
    TestGuest.Place guest(Path root, int vcpus, long memoryBytes) {
        return new TestGuest.Place(shared, root.resolve("build/native"), vcpus, memoryBytes);
    }

    @Override
    public void close() throws IOException {
        delete(shared);
        delete(disk);
    }

    private static void delete(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
