package org.stillcut.systemtests.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.image.ImageReader;
import org.stillcut.store.io.RestoredFile;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.StoreEnvironment;
import org.stillcut.store.repository.StoreOptions;
import org.stillcut.systemtests.Cluster;
import org.stillcut.systemtests.Commands;
import org.stillcut.systemtests.DemoProgram;
import org.stillcut.systemtests.MpirunRun;

/**
 * Makes a file of what a real guest's checkpoint consists of: the RAM of a VM in which a stencil has computed for a while, and behind it the VM's disk.
 * For the bench of the store. Argument: the file.
 */
public final class GuestImage {
    private static final Duration STEP = Duration.ofMinutes(5);
    private static final long PAGE_BYTES = 4096;

    /** Two fields of 144 MB each in a gigabyte of RAM; the page cache gets its part from the job's files. */
    private static final List<String> STENCIL = List.of(
            "--ckpt",
            "--ckpt-memory",
            "1G",
            "--ckpt-disk",
            "512M",
            "-np",
            "2",
            "./heat",
            "4242",
            "4242",
            "1000000",
            "2");

    private GuestImage() {}

    public static void main(String[] arguments) throws Exception {
        Path root = Cluster.projectRoot();
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 1, 2))) {
            Path job = Files.createDirectory(cluster.home().resolve("job"));
            DemoProgram.HEAT_C.stage(root.resolve("build"), job);
            addFiles(root.resolve("build/lib"), Files.createDirectory(job.resolve("files")));
            try (MpirunRun run = cluster.mpirun(job, STENCIL)) {
                String id = run.jobId(STEP);
                run.awaitStdout("progress", STEP, DemoProgram.HEAT_C::isProgress);
                Commands.Result taken = cluster.stillcut("checkpoint", id);
                if (taken.exitStatus() != 0) {
                    throw new IOException("no checkpoint: " + taken.stderr());
                }
                write(cluster.home(), id, Path.of(arguments[0]));
            }
        }
    }

    /** What a job may have on its disk: here, programs and libraries. */
    private static void addFiles(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    private static void write(Path home, String job, Path file) throws StoreException {
        try (Repository repository = Repository.open(
                home.resolve("repository"),
                home.resolve("image-index"),
                StoreOptions.DEFAULT,
                StoreEnvironment.system())) {
            CheckpointManifest checkpoint = repository
                    .catalog()
                    .findCheckpoint(job, 1)
                    .orElseThrow(() -> new StoreMissingException("there is no checkpoint " + job + "@1", null));
            SnapshotManifest snapshot = repository.catalog().readSnapshot(checkpoint.snapshot(0));
            ImageRef ram = snapshot.image("ram");
            ImageRef disk = snapshot.image("disk0");
            long diskStart = Math.ceilDiv(ram.lengthBytes(), PAGE_BYTES) * PAGE_BYTES;
            try (RestoredFile target = RestoredFile.create(file, diskStart + disk.lengthBytes())) {
                repository.openImage(ram).readTo(target::write);
                ImageReader reader = repository.openImage(disk);
                reader.readTo((offset, bytes) -> target.write(diskStart + offset, bytes));
                target.force();
            }
        }
    }
}
