package org.stillcut.store.repository;

import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.WriteStats;
import org.stillcut.store.chunk.ChunkSession;
import org.stillcut.store.hold.Hold;
import org.stillcut.store.hold.HoldContent.Purpose;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageWriter;
import org.stillcut.store.image.WrittenImage;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.work.WorkerPool;

/**
 * Writes one VM's snapshot: its images, then the manifest. Used by one thread; the work is spread over the repository's workers.
 *
 * <p>After {@link #finish}, or after any failure, it can only be closed. Closing without finishing leaves nothing that anybody sees; what was stored
 * by then makes a next attempt cheaper.
 */
public final class SnapshotWriter implements AutoCloseable {

    private final SnapshotIdentity identity;
    private final ChunkSession chunks;
    private final CheckpointCatalog catalog;
    private final InstantSource clock;
    private final SnapshotHolds holds;
    private final ImageWriter writer;
    /** What keeps the repository from changing under this writer: its own hold, and those of its bases. */
    private final Deque<Hold> held = new ArrayDeque<>();
    /** The images of this writer: they need no hold as bases of its next ones. */
    private final Set<ImageRef> own = new HashSet<>();

    private final SortedMap<String, ImageRef> images = new TreeMap<>();
    private WriteStats stats = WriteStats.NONE;
    private boolean usable = true;

    SnapshotWriter(
            SnapshotIdentity identity,
            ChunkSession chunks,
            Hold hold,
            SnapshotHolds holds,
            CheckpointCatalog catalog,
            WorkerPool workers,
            InstantSource clock) {
        this.identity = identity;
        this.chunks = chunks;
        this.catalog = catalog;
        this.clock = clock;
        this.holds = holds;
        this.held.push(hold);
        this.writer = new ImageWriter(chunks, workers);
    }

    /**
     * Writes an image under a name; not durable yet. Writing the same name again replaces the image, for instance by the next round of pre-copy on
     * the base of this one.
     *
     * <p>Fails with {@code StoreFullException}, {@code StoreIoException} (also when the source fails), {@code StoreInterruptedException}, or, with a
     * base, as reading does.
     */
    public WrittenImage writeImage(String name, ImageInput input) throws StoreException {
        use();
        Optional<ImageRef> base = input.builtOn();
        if (base.isPresent() && !own.contains(base.get())) {
            held.push(holds.admit(base.get()));
        }
        WrittenImage image = writer.write(input);
        own.add(image.ref());
        images.put(name, image.ref());
        stats = stats.plus(image.stats());
        usable = true;
        return image;
    }

    /**
     * Takes an image that is stored already into this snapshot, as it is and without reading it: what many snapshots have in common.
     *
     * @return false when the repository does not have it any more; then nothing has changed
     */
    public boolean keepImage(String name, ImageRef image) throws StoreException {
        use();
        if (!own.contains(image)) {
            try {
                held.push(holds.admit(image));
            } catch (StoreMissingException e) {
                usable = true;
                return false;
            }
        }
        images.put(name, image);
        usable = true;
        return true;
    }

    /** What all images so far have cost together. */
    public WriteStats stats() {
        return stats;
    }

    /**
     * Makes everything durable, in this order: the packs, the chunk index's knowledge of them, the manifest.
     *
     * <p>The repository holds the snapshot from now on, until the same VM's next one: so that one can build on it, whatever is forgotten.
     *
     * @param attributes strings that go into the manifest as they are
     * @return the reference for the commit record; whoever has it can rely on the whole snapshot
     */
    public SnapshotRef finish(SortedMap<String, String> attributes) throws StoreException {
        use();
        chunks.flush();
        SnapshotManifest manifest = new SnapshotManifest(identity, clock.instant(), images, attributes);
        SnapshotRef ref = catalog.writeSnapshot(manifest);
        holds.hold(Purpose.BUILDING, ref, manifest);
        return ref;
    }

    /** Gives up what is not durable. May be repeated. */
    @Override
    public void close() throws StoreException {
        usable = false;
        try {
            chunks.close();
        } finally {
            // Only now: a prune that waits for this writer may look at the packs next.
            while (!held.isEmpty()) {
                held.pop().close();
            }
        }
    }

    /** Not usable until the call in hand has succeeded, so that no failure can be overlooked. */
    private void use() {
        if (!usable) {
            throw new IllegalStateException("the writer of " + identity + " is finished, failed or closed");
        }
        usable = false;
    }
}
