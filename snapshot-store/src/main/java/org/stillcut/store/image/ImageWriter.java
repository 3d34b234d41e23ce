package org.stillcut.store.image;

import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.ByteRange;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.WriteStats;
import org.stillcut.store.chunk.ChunkSession;
import org.stillcut.store.chunk.ChunkTally;
import org.stillcut.store.codec.CodecPool;
import org.stillcut.store.work.TaskGroup;
import org.stillcut.store.work.WorkerPool;

/**
 * Writes images into the session of one snapshot. Used by one thread, which reads the source; hashing and compression happen in the pool.
 *
 * <p>Memory: a few batches of 1 MiB and the index pages they belong to, whatever the image's length, beside 32 bytes for each index page.
 */
public final class ImageWriter {

    /** What a worker takes at once: large enough to make the hand-over cheap, at least one chunk of the largest size. */
    private static final int BATCH_BYTES = 1 << 20;

    private final ChunkSession chunks;
    private final WorkerPool workers;
    private final ConcurrentLinkedQueue<byte[]> buffers = new ConcurrentLinkedQueue<>();

    /** Writes into this session with these workers. */
    public ImageWriter(ChunkSession chunks, WorkerPool workers) {
        this.chunks = chunks;
        this.workers = workers;
    }

    /**
     * Writes one image. Reads only chunks that overlap the input's ranges; nothing is durable before the session is flushed.
     *
     * <p>Fails with {@code StoreIoException} when the source cannot be read; then, as after any failure, the session can only be closed.
     */
    public WrittenImage write(ImageInput input) throws StoreException {
        ChunkFiller filler = ChunkFiller.open(input, chunks, workers.codecs());
        ChunkTally data = new ChunkTally();
        ChunkTally index = new ChunkTally();
        ImageIndex target = filler.target();
        writePages(filler, new Tallies(data, index));
        ImageRef ref = new ImageRef(storeRoot(target, index), target.lengthBytes());
        long storedBytes = data.storedBytes() + index.storedBytes();
        return new WrittenImage(
                ref,
                new WriteStats(
                        filler.bytesRead(), data.newChunks(), data.knownChunks(), data.zeroChunks(), storedBytes));
    }

    private record Tallies(ChunkTally data, ChunkTally index) {}

    private void writePages(ChunkFiller filler, Tallies tallies) throws StoreException {
        ImageIndex target = filler.target();
        long pageSpan = (long) ImageIndex.PAGE_ENTRIES * target.chunkSizeBytes();
        @Nullable PageDraft draft = null;
        try (TaskGroup group = workers.newGroup()) {
            for (ByteRange range : filler.chunkRanges()) {
                for (long start = range.offsetBytes(); start < range.endBytes(); ) {
                    int page = (int) (start / pageSpan);
                    if (draft == null || draft.page() != page) {
                        finish(draft, group);
                        draft = new PageDraft(target, page, filler.basePage(page), chunks, tallies.index());
                    }
                    long end = Math.min(Math.min(range.endBytes(), (page + 1) * pageSpan), start + BATCH_BYTES);
                    submit(filler, new ByteRange(start, end - start), draft, tallies.data(), group);
                    start = end;
                }
            }
            finish(draft, group);
            group.await();
        }
    }

    private static void finish(@Nullable PageDraft draft, TaskGroup group) throws StoreException {
        if (draft != null) {
            group.submit(draft::release);
        }
    }

    private void submit(ChunkFiller filler, ByteRange batch, PageDraft draft, ChunkTally tally, TaskGroup group)
            throws StoreException {
        byte[] polled = buffers.poll();
        byte[] buffer = polled == null ? new byte[BATCH_BYTES] : polled;
        filler.fill(batch, buffer);
        int chunkSize = filler.target().chunkSizeBytes();
        int count = (int) (batch.lengthBytes() / chunkSize);
        int firstEntry = (int) (batch.offsetBytes() / chunkSize % ImageIndex.PAGE_ENTRIES);
        draft.retain();
        group.submit(codec -> {
            for (int i = 0; i < count; i++) {
                draft.setEntry(firstEntry + i, chunks.store(buffer, i * chunkSize, chunkSize, codec, tally));
            }
            buffers.add(buffer);
            draft.release(codec);
        });
    }

    private ChunkId storeRoot(ImageIndex target, ChunkTally tally) throws StoreException {
        byte[] root = target.encode();
        try (CodecPool.Lease lease = workers.codecs().borrow()) {
            return chunks.store(root, 0, root.length, lease.codec(), tally);
        }
    }
}
