package org.stillcut.store.repository;

import java.time.InstantSource;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.WriteStats;
import org.stillcut.store.chunk.ChunkSession;
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
    private final ImageWriter writer;
    private final SortedMap<String, ImageRef> images = new TreeMap<>();
    private WriteStats stats = WriteStats.NONE;
    private boolean usable = true;

    SnapshotWriter(
            SnapshotIdentity identity,
            ChunkSession chunks,
            CheckpointCatalog catalog,
            WorkerPool workers,
            InstantSource clock) {
        this.identity = identity;
        this.chunks = chunks;
        this.catalog = catalog;
        this.clock = clock;
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
        WrittenImage image = writer.write(input);
        images.put(name, image.ref());
        stats = stats.plus(image.stats());
        usable = true;
        return image;
    }

    /** What all images so far have cost together. */
    public WriteStats stats() {
        return stats;
    }

    /**
     * Makes everything durable, in this order: the packs, the chunk index's knowledge of them, the manifest.
     *
     * @param attributes strings that go into the manifest as they are
     * @return the reference for the commit record; whoever has it can rely on the whole snapshot
     */
    public SnapshotRef finish(SortedMap<String, String> attributes) throws StoreException {
        use();
        chunks.flush();
        return catalog.writeSnapshot(new SnapshotManifest(identity, clock.instant(), images, attributes));
    }

    /** Gives up what is not durable. May be repeated. */
    @Override
    public void close() throws StoreException {
        usable = false;
        chunks.close();
    }

    /** Not usable until the call in hand has succeeded, so that no failure can be overlooked. */
    private void use() {
        if (!usable) {
            throw new IllegalStateException("the writer of " + identity + " is finished, failed or closed");
        }
        usable = false;
    }
}
