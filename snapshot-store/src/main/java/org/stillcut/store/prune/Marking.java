package org.stillcut.store.prune;

import java.util.HashSet;
import java.util.Set;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.chunk.ChunkSource;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.codec.CodecPool;
import org.stillcut.store.hold.HoldContent;
import org.stillcut.store.image.ImageTree;
import org.stillcut.store.manifest.CheckpointCatalog;

/**
 * Finds all chunks that must stay: those of committed checkpoints, of manifests that wait for their commit, and of images that somebody holds. Used by
 * one thread, once.
 *
 * <p>An image that cannot be read as a whole is an error when a checkpoint needs it: what it refers to is not known, so nothing may go.
 */
final class Marking implements ImageTree.Visitor {

    private final CheckpointCatalog catalog;
    private final ChunkSource chunks;
    private final CodecPool codecs;
    private final ChunkSet live = new ChunkSet();

    /** The parts of indexes that were walked; exact, since what is below a part that only seemed to be seen would be lost. */
    private final Set<ChunkId> walked = new HashSet<>();

    private String reason = "";
    private boolean lenient;

    Marking(CheckpointCatalog catalog, ChunkSource chunks, CodecPool codecs) {
        this.catalog = catalog;
        this.chunks = chunks;
        this.codecs = codecs;
    }

    /** The chunks that must stay. */
    ChunkSet run() throws StoreException {
        try (CodecPool.Lease lease = codecs.borrow()) {
            // In this order, since protection is handed on in this order: who reads a checkpoint, or builds on it,
            // holds it
            // while its record is still there, and lets go when a manifest of its own is there.
            markCheckpoints(lease.codec());
            lenient = true;
            markHolds(lease.codec());
            for (SnapshotRef manifest : catalog.listSnapshots()) {
                markWaiting(manifest, lease.codec());
            }
            return live;
        }
    }

    private void markHolds(ChunkCodec codec) throws StoreException {
        for (HoldContent hold : catalog.holds().settled().values()) {
            for (ImageRef image : hold.images()) {
                ImageTree.walk(image, chunks, codec, this);
            }
            for (SnapshotRef manifest : hold.manifests()) {
                markWaiting(manifest, codec);
            }
        }
    }

    private void markCheckpoints(ChunkCodec codec) throws StoreException {
        for (String job : catalog.listJobs()) {
            for (long sequence : catalog.listCheckpoints(job)) {
                CheckpointRef checkpoint = new CheckpointRef(job, sequence);
                reason = "checkpoint " + checkpoint
                        + " is damaged; as long as it is not forgotten, nothing can be pruned: ";
                try {
                    var found = catalog.findCheckpoint(job, sequence);
                    if (found.isPresent()) {
                        markCheckpoint(found.get(), codec);
                    }
                } catch (StoreCorruptException | StoreMissingException e) {
                    if (catalog.listCheckpoints(job).contains(sequence)) {
                        throw damaged(e);
                    }
                    // Forgotten meanwhile.
                }
            }
        }
    }

    private void markCheckpoint(CheckpointManifest checkpoint, ChunkCodec codec) throws StoreException {
        for (SnapshotRef ref : checkpoint.snapshots().values()) {
            for (ImageRef image : catalog.readSnapshot(ref).images().values()) {
                ImageTree.walk(image, chunks, codec, this);
            }
        }
    }

    /** A manifest that cannot be read can have no commit any more: a commit reads it. */
    private void markWaiting(SnapshotRef manifest, ChunkCodec codec) throws StoreException {
        SnapshotManifest found;
        try {
            found = catalog.readSnapshot(manifest);
        } catch (StoreCorruptException | StoreMissingException e) {
            return;
        }
        for (ImageRef image : found.images().values()) {
            ImageTree.walk(image, chunks, codec, this);
        }
    }

    @Override
    public boolean enter(ChunkId indexChunk, int level) {
        live.add(indexChunk);
        return walked.add(indexChunk);
    }

    @Override
    public void content(ChunkId chunk, int lengthBytes) {
        live.add(chunk);
    }

    @Override
    public void unreadable(ChunkId indexChunk, StoreException cause) throws StoreException {
        boolean damage = cause instanceof StoreCorruptException || cause instanceof StoreMissingException;
        if (!damage || !lenient) {
            throw cause;
        }
        // If a checkpoint needs it as well, that has to be found out: so it does not count as walked.
        walked.remove(indexChunk);
    }

    private StoreException damaged(StoreException cause) {
        return new StoreCorruptException(
                StoreCorruptException.Damage.MALFORMED, reason + String.valueOf(cause.getMessage()), cause);
    }
}
