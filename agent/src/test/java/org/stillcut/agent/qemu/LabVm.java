package org.stillcut.agent.qemu;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A VM for tests of the mechanics: it has 64 MiB and runs nothing but its firmware. */
public final class LabVm {

    public static final Duration DEADLINE = Duration.ofSeconds(15);
    public static final long MEMORY_BYTES = 64L << 20;

    /** tmpfs, as in production; also keeps socket paths short. */
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    private LabVm() {}

    /** A directory on a tmpfs for one test, to be deleted with {@link #delete}. */
    public static Path directory() throws Exception {
        return Files.createTempDirectory(SHARED_MEMORY, "stillcut-it-");
    }

    public static void delete(Path directory) throws Exception {
        try (var paths = Files.walk(directory)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    public static VmSpec spec(Path directory, List<VmDisk> disks) {
        return new VmSpec(
                "vm0",
                VmMachine.of(Accelerator.TCG, 1, MEMORY_BYTES),
                Optional.empty(),
                disks,
                Optional.empty(),
                new VmFiles(directory.resolve("ram"), directory.resolve("run")),
                Map.of());
    }
}
