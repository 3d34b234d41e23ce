package org.stillcut.store.repository;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.MissingChunkException;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.chunk.ChunkStore;
import org.stillcut.store.codec.CodecPool;
import org.stillcut.store.hold.Hold;
import org.stillcut.store.hold.HoldContent;
import org.stillcut.store.hold.HoldContent.Purpose;
import org.stillcut.store.image.ImageTree;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.pack.PackDirectory;

/**
 * What this process holds of snapshots: for each VM the one that it wrote or read last, on which its next one will build. Thread-safe.
 *
 * <p>So that, whatever is forgotten and pruned meanwhile, an overlay never loses its base.
 */
final class SnapshotHolds implements AutoCloseable {

    private final CheckpointCatalog catalog;
    private final PackDirectory packs;
    private final ChunkStore chunks;
    private final CodecPool codecs;
    private final Map<Vm, Held> held = new HashMap<>();

    private record Vm(String job, int index) {}

    private record Held(Hold hold, List<ImageRef> images) {}

    SnapshotHolds(CheckpointCatalog catalog, PackDirectory packs, ChunkStore chunks, CodecPool codecs) {
        this.catalog = catalog;
        this.packs = packs;
        this.chunks = chunks;
        this.codecs = codecs;
    }

    /** Holds this VM's snapshot instead of the one held so far. */
    synchronized void hold(Purpose purpose, SnapshotRef ref, SnapshotManifest manifest) throws StoreException {
        List<ImageRef> images = List.copyOf(manifest.images().values());
        Hold hold = catalog.holds().open(new HoldContent(purpose, images, List.of(ref)));
        SnapshotIdentity identity = manifest.identity();
        @Nullable Held before = held.put(new Vm(identity.job(), identity.vmIndex()), new Held(hold, images));
        if (before != null) {
            before.hold().close();
        }
    }

    /** Lets go what is held of this VM. May be repeated. */
    synchronized void release(String job, int vmIndex) throws StoreException {
        @Nullable Held before = held.remove(new Vm(job, vmIndex));
        if (before != null) {
            before.hold().close();
        }
    }

    private synchronized boolean isHeld(ImageRef image) {
        return held.values().stream().anyMatch(each -> each.images().contains(image));
    }

    /**
     * Makes sure that an image is whole and stays so; the caller closes what is returned when its own image is held.
     *
     * <p>Fails with {@code StoreMissingException} when it is not, for instance since its checkpoint was forgotten and pruned.
     */
    Hold admit(ImageRef base) throws StoreException {
        // In this order: from the hold on, it stays if it is there.
        Hold hold = catalog.holds().open(new HoldContent(Purpose.BUILDING, List.of(base), List.of()));
        try {
            if (!isHeld(base) && !isCommitted(base)) {
                requireChunks(base);
            }
            return hold;
        } catch (StoreException e) {
            hold.close();
            throw e;
        }
    }

    private boolean isCommitted(ImageRef base) throws StoreException {
        for (String job : catalog.listJobs()) {
            for (long sequence : catalog.listCheckpoints(job).reversed()) {
                if (isPartOf(base, job, sequence)) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean isPartOf(ImageRef base, String job, long sequence) throws StoreException {
        try {
            @Nullable
            CheckpointManifest found = catalog.findCheckpoint(job, sequence).orElse(null);
            if (found == null) {
                return false;
            }
            for (SnapshotRef snapshot : found.snapshots().values()) {
                if (catalog.readSnapshot(snapshot).images().containsValue(base)) {
                    return true;
                }
            }
        } catch (StoreCorruptException | StoreMissingException e) {
            // Somebody else's damage.
            return false;
        }
        return false;
    }

    /** That each chunk is there, in a pack that no prune is about to remove. Costs a look-up for each, but no reading of content. */
    private void requireChunks(ImageRef base) throws StoreException {
        var condemned = packs.condemned().read();
        Set<ChunkId> wanted;
        try (CodecPool.Lease lease = codecs.borrow()) {
            wanted = ImageTree.allChunks(List.of(base), chunks, lease.codec());
        }
        for (ChunkId chunk : wanted) {
            if (!chunks.isKnown(chunk, condemned)) {
                throw new MissingChunkException(chunk);
            }
        }
    }

    @Override
    public synchronized void close() throws StoreException {
        for (Held each : held.values()) {
            each.hold().close();
        }
        held.clear();
    }
}
