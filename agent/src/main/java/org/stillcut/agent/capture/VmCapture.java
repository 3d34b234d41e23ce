package org.stillcut.agent.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.disk.DiskException;
import org.stillcut.agent.disk.DiskLayer;
import org.stillcut.agent.disk.OverlayChain;
import org.stillcut.agent.qemu.Vm;
import org.stillcut.agent.qemu.VmException;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreException;

/**
 * What of a running VM goes into checkpoints: RAM, device state and disk, each checkpoint building on the one before. In this
 * order: {@link #prepare}; {@link #cut} of the paused VM; {@link #persist} while it runs on. {@link #revoke} at any time
 * instead. A checkpoint that was persisted counts as committed when the next one is prepared.
 *
 * <p>Used by one thread at a time. Closing it leaves the VM and its disk alone.
 */
public final class VmCapture implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(VmCapture.class);

    private static final Duration MONITOR = Duration.ofSeconds(6);

    /** A merge has this long, and in addition what its bytes take at the rate below. */
    private static final Duration MERGE = Duration.ofSeconds(30);

    /** What the slowest disks write that are worth running on. */
    private static final long MERGE_BYTES_PER_SECOND = 20L << 20;

    /** A chain of so many layers still works, but each one more makes reading slower. */
    private static final int LONGEST_CHAIN = 16;

    /** In the snapshot's attributes: how changed pages were found. */
    private static final String TRACKER = "capture.tracker";

    private final Vm vm;
    private final OverlayChain disk;
    private final RamCapture ram;
    private Optional<ImageRef> diskBase;
    private byte @Nullable [] deviceState;
    private @Nullable Persisted unconfirmed;

    /** A disk that is durable, in a snapshot that may still not be committed. */
    private record Persisted(DiskLayer newest, ImageRef image) {}

    /** @param diskBase what the store has of the disk below its frozen layers */
    public VmCapture(Vm vm, OverlayChain disk, RamCapture ram, Optional<ImageRef> diskBase) {
        this.vm = vm;
        this.disk = disk;
        this.ram = ram;
        this.diskBase = diskBase;
    }

    /** Everything slow, while the VM runs: old overlays merged, a new one made, most of what changed in the RAM copied. */
    public void prepare() throws DiskException, IOException, InterruptedException {
        Persisted last = unconfirmed;
        if (last != null) {
            disk.markPersisted(last.newest);
            diskBase = Optional.of(last.image);
            unconfirmed = null;
        }
        merge();
        disk.prepare(vm.qmp(), MONITOR);
        ram.precopy();
    }

    /** Merging is for the next checkpoints' sake, so this one goes on without for some time. */
    private void merge() throws DiskException, InterruptedException {
        Duration deadline = MERGE.plusSeconds(disk.frozenOverlayBytes() / MERGE_BYTES_PER_SECOND);
        try {
            boolean merged = disk.merge(vm.qmp(), deadline);
            log.debug("{}: merged {}, {} layers", vm.spec().name(), merged, disk.length());
        } catch (DiskException e) {
            if (disk.length() >= LONGEST_CHAIN) {
                throw e;
            }
            log.warn(
                    "{}: layers of the disk were not merged, there are {}: {}",
                    vm.spec().name(),
                    disk.length(),
                    e.getMessage());
        }
    }

    /**
     * Takes disk, device state and RAM of the paused VM, in the order that QEMU needs: RAM last, as saving the device state
     * changes it.
     */
    public void cut() throws VmException, DiskException, IOException, InterruptedException {
        long start = System.nanoTime();
        OverlayChain.switchAll(vm.qmp(), List.of(disk), MONITOR);
        long switched = System.nanoTime();
        deviceState = vm.saveDeviceState(MONITOR);
        long saved = System.nanoTime();
        int pages = ram.cut();
        log.debug(
                "{}: disk switched in {} us, devices saved in {} us, last {} pages copied in {} us",
                vm.spec().name(),
                (switched - start) / 1000,
                (saved - switched) / 1000,
                pages,
                (System.nanoTime() - saved) / 1000);
    }

    /**
     * Stores the cut; it is durable when this returns.
     *
     * @param boot what the VM booted, see {@link SnapshotVault#store}
     */
    public SnapshotRef persist(
            SnapshotVault vault,
            SnapshotIdentity identity,
            SortedMap<String, String> attributes,
            Optional<BootFiles> boot)
            throws StoreException, DiskException, InterruptedException {
        byte[] state = deviceState;
        if (state == null) {
            throw new IllegalStateException(vm.spec().name() + " has captured nothing");
        }
        DiskLayer newest = disk.unpersisted().getLast();
        SortedMap<String, String> all = new TreeMap<>(attributes);
        all.put(TRACKER, ram.trackerKind().name());
        SnapshotVault.Stored stored =
                vault.store(identity, new Cut(ram, ByteBuffer.wrap(state), disk, diskBase), all, boot);
        ram.stored(stored.ram());
        unconfirmed = new Persisted(newest, stored.disk());
        deviceState = null;
        return stored.reference();
    }

    /**
     * Undoes what was done for a checkpoint, from wherever it is, of a VM that runs again. What changed is due in the next one;
     * so are the layers that were frozen already.
     */
    public void revoke() throws DiskException, InterruptedException {
        deviceState = null;
        unconfirmed = null;
        ram.revoke();
        disk.abandonPrepared(vm.qmp(), MONITOR);
    }

    /** Memory that copies of the RAM take. */
    public long heldBytes() {
        return ram.heldBytes();
    }

    @Override
    public void close() {
        ram.close();
    }
}
