package org.stillcut.agent.capture;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stillcut.agent.disk.DiskChanges;
import org.stillcut.agent.disk.DiskException;
import org.stillcut.agent.linux.MissingPages;
import org.stillcut.agent.qemu.Vm;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.VmId;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageReader;
import org.stillcut.store.image.ImageSource;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.SnapshotWriter;

/** Brings VMs into the store and back. Thread-safe. */
public final class SnapshotVault {
    private static final String RAM = "ram";
    private static final String DISK = "disk0";
    private static final String DEVICE = "device";

    /** What the snapshot added to the repository; the coordinator shows it. */
    private static final String STORED_BYTES = "stored.bytes";

    /** QEMU's device state of a VM with a dozen devices has half a megabyte. */
    private static final long MOST_DEVICE_STATE_BYTES = 64L << 20;

    private static final Duration MAP_DEADLINE = Duration.ofMinutes(1);

    private final Repository repository;
    private final Pace pace;
    private final BootFileStore bootFiles;

    /** @param pace at which RAM is stored, whose hashing and compression would otherwise take the guests' processors */
    public SnapshotVault(Repository repository, Pace pace) {
        this.repository = repository;
        this.pace = pace;
        this.bootFiles = new BootFileStore(repository);
    }

    /** A stored snapshot, and the images in it, on which the next one can build. */
    public record Stored(SnapshotRef reference, ImageRef ram, ImageRef disk) {}

    /**
     * Stores a cut; all of it is durable when this returns.
     *
     * @param boot what the VM booted, to be kept with it; empty when it booted nothing that a restore needs
     */
    public Stored store(SnapshotIdentity identity, Cut cut, SortedMap<String, String> machine, Optional<BootFiles> boot)
            throws StoreException, DiskException, InterruptedException {
        try (SnapshotWriter writer = repository.newSnapshot(identity);
                DiskChanges changes = cut.disk().changes(MAP_DEADLINE)) {
            ImageRef ramRef = writer.writeImage(RAM, pace.over(cut.ram())).ref();
            DiskImage disk = new DiskImage(cut.disk().sizeBytes(), changes);
            ImageRef diskRef =
                    writer.writeImage(DISK, disk.over(cut.diskBase())).ref();
            writer.writeImage(
                    DEVICE, new ImageInput.Full(new Bytes(cut.deviceState()), ImageInput.DEFAULT_CHUNK_SIZE_BYTES));
            if (boot.isPresent()) {
                bootFiles.add(writer, boot.get());
            }
            SortedMap<String, String> attributes = new TreeMap<>(machine);
            attributes.put(STORED_BYTES, Long.toString(writer.stats().storedBytes()));
            return new Stored(writer.finish(attributes), ramRef, diskRef);
        }
    }

    /**
     * The snapshot of one VM in a committed checkpoint. It is held from now on, until the VM's next snapshot is stored or the VM is released, so that
     * nobody takes it away while it is read, or while disks build on it.
     */
    public SnapshotManifest find(CheckpointId checkpoint, VmId vm) throws StoreException {
        CheckpointManifest manifest = repository
                .catalog()
                .findCheckpoint(checkpoint.job().value(), checkpoint.sequence())
                .orElseThrow(() -> new StoreMissingException("there is no checkpoint " + checkpoint, null));
        SnapshotRef reference = manifest.snapshot(vm.index());
        SnapshotManifest snapshot = repository.catalog().readSnapshot(reference);
        repository.holdForReading(CheckpointRef.of(manifest), reference, snapshot);
        return snapshot;
    }

    /**
     * Gets what the VM of a snapshot booted out of the repository.
     *
     * @param digest of it, see {@link BootFiles#digest}
     * @param directory is made when it is missing, and keeps the files for the next call
     */
    public BootFiles fetchBootFiles(SnapshotManifest snapshot, String digest, Path directory)
            throws StoreException, IOException {
        return bootFiles.fetch(snapshot, digest, directory);
    }

    /** Lets go what is held for a VM that is no more. May be repeated. */
    public void release(JobId job, VmId vm) throws StoreException {
        repository.release(job.value(), vm.index());
    }

    /** Makes the RAM file, of the right size and without content. */
    public void createRam(SnapshotManifest snapshot, Path file) throws StoreException, IOException {
        create(snapshot.image(RAM), file);
    }

    /** Fills a RAM file that was just created; pages of zeros stay holes. */
    public void loadRam(SnapshotManifest snapshot, Path file) throws StoreException, IOException {
        fill(snapshot.image(RAM), file, SnapshotVault::writePages);
    }

    /**
     * Begins to fill the RAM of a VM that may run from now on, see {@link LazyFill}; if that fails the VM is killed.
     *
     * @param pages of its RAM file, which was just created; they belong to the fill
     */
    public LazyFill fillRam(SnapshotManifest snapshot, Vm vm, MissingPages pages) throws StoreException {
        StoredRam image;
        boolean open = false;
        try {
            image = StoredRam.of(repository.openImage(snapshot.image(RAM)));
            open = true;
        } finally {
            if (!open) {
                pages.close();
            }
        }
        return fillRam(image, vm, pages);
    }

    static LazyFill fillRam(StoredRam image, Vm vm, MissingPages pages) {
        // Not QMP's stop, which would wait for processors that wait for pages.
        return LazyFill.begin(vm.spec().files().ram(), pages, image, _ -> vm.close());
    }

    /** What the store has of the RAM. */
    public ImageRef ramImage(SnapshotManifest snapshot) throws StoreException {
        return snapshot.image(RAM);
    }

    /** Rebuilds the disk as a raw file; returns what the store has of it. */
    public ImageRef loadDisk(SnapshotManifest snapshot, Path file) throws StoreException, IOException {
        ImageRef image = snapshot.image(DISK);
        create(image, file);
        fill(image, file, SnapshotVault::writeAll);
        return image;
    }

    public byte[] loadDeviceState(SnapshotManifest snapshot) throws StoreException {
        ImageRef image = snapshot.image(DEVICE);
        if (image.lengthBytes() > MOST_DEVICE_STATE_BYTES) {
            throw new StoreCorruptException(
                    Damage.OVERSIZED,
                    "device state of " + snapshot.identity() + " has " + image.lengthBytes() + " bytes, more than "
                            + MOST_DEVICE_STATE_BYTES);
        }
        byte[] state = new byte[Math.toIntExact(image.lengthBytes())];
        repository.openImage(image).read(0, ByteBuffer.wrap(state));
        return state;
    }

    private static void create(ImageRef image, Path file) throws IOException {
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try (RandomAccessFile sized = new RandomAccessFile(file.toFile(), "rw")) {
            sized.setLength(image.lengthBytes());
        }
    }

    /** Puts some bytes of an image where they belong. */
    @FunctionalInterface
    private interface Placing {
        void write(FileChannel file, long offsetBytes, ByteBuffer bytes) throws IOException;
    }

    private void fill(ImageRef image, Path file, Placing placing) throws StoreException, IOException {
        ImageReader reader = repository.openImage(image);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            reader.readTo((offset, bytes) -> placing.write(channel, offset, bytes));
        }
    }

    private static void writeAll(FileChannel file, long offsetBytes, ByteBuffer bytes) throws IOException {
        long position = offsetBytes;
        while (bytes.hasRemaining()) {
            position += file.write(bytes, position);
        }
    }

    /** Writes the runs of pages that are not zero: a chunk is larger than a page, and a page of zeros costs memory. */
    private static void writePages(FileChannel file, long offsetBytes, ByteBuffer bytes) throws IOException {
        int page = PageSet.PAGE_BYTES;
        ByteBuffer zeros = ByteBuffer.allocate(page);
        int length = bytes.remaining();
        int runStart = 0;
        for (int at = 0; at < length; at += page) {
            int end = Math.min(at + page, length);
            if (bytes.slice(at, end - at).equals(zeros.slice(0, end - at))) {
                writeAll(file, offsetBytes + runStart, bytes.slice(runStart, at - runStart));
                runStart = end;
            }
        }
        writeAll(file, offsetBytes + runStart, bytes.slice(runStart, length - runStart));
    }

    private record Bytes(ByteBuffer bytes) implements ImageSource {
        @Override
        public long lengthBytes() {
            return bytes.remaining();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) {
            target.put(bytes.slice(bytes.position() + Math.toIntExact(offsetBytes), target.remaining()));
        }
    }
}
