package org.stillcut.store.image;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import org.stillcut.store.ChunkId;
import org.stillcut.store.StoreException;
import org.stillcut.store.chunk.ChunkSession;
import org.stillcut.store.chunk.ChunkTally;
import org.stillcut.store.codec.ChunkCodec;

/**
 * One index page while its chunks are being stored. Entries are set by several workers, each its own; whoever releases the draft last stores the
 * page.
 */
final class PageDraft {

    private final ImageIndex target;
    private final int page;
    private final byte[] ids;
    private final ChunkSession chunks;
    private final ChunkTally tally;

    /** Batches in flight, and one for the producer; the last decrement orders all entries before the page is stored. */
    private final AtomicInteger holders = new AtomicInteger(1);

    PageDraft(ImageIndex target, int page, byte[] ids, ChunkSession chunks, ChunkTally tally) {
        this.target = target;
        this.page = page;
        this.ids = ids;
        this.chunks = chunks;
        this.tally = tally;
    }

    int page() {
        return page;
    }

    /** What the index costs. */
    ChunkTally tally() {
        return tally;
    }

    void retain() {
        holders.incrementAndGet();
    }

    void setEntry(int entry, ChunkId id) {
        id.writeTo(ByteBuffer.wrap(ids, entry * ChunkId.LENGTH_BYTES, ChunkId.LENGTH_BYTES));
    }

    void release(ChunkCodec codec) throws StoreException {
        if (holders.decrementAndGet() == 0) {
            target.setPage(page, chunks.store(ids, 0, ids.length, codec, tally));
        }
    }
}
