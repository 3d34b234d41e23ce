package org.stillcut.store.image;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
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

    /** With eight pages each, as much as a batch of whole chunks. */
    private static final int SPLITS_AT_ONCE = 32;

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
        DirtyChunks dirty = filler.dirtyChunks();
        Iterator<DirtyChunks.FewPages> few = dirty.few().iterator();
        DirtyChunks.@Nullable FewPages nextFew = few.hasNext() ? few.next() : null;
        try (TaskGroup group = workers.newGroup()) {
            Drafts drafts = new Drafts(filler, tallies, group);
            for (ByteRange run : dirty.runs()) {
                for (long start = run.offsetBytes(); start < run.endBytes(); ) {
                    int page = (int) (start / pageSpan);
                    // Pages come in ascending order, and each once.
                    while (nextFew != null && nextFew.offsetBytes() < start) {
                        drafts.addFew(nextFew);
                        nextFew = few.hasNext() ? few.next() : null;
                    }
                    long end = Math.min(Math.min(run.endBytes(), (page + 1) * pageSpan), start + BATCH_BYTES);
                    drafts.addRun(new ByteRange(start, end - start));
                    start = end;
                }
            }
            while (nextFew != null) {
                drafts.addFew(nextFew);
                nextFew = few.hasNext() ? few.next() : null;
            }
            drafts.finish();
            group.await();
        }
    }

    /** The index page in hand, and what is to be stored for it. Used by the producing thread. */
    private final class Drafts {

        private final ChunkFiller filler;
        private final Tallies tallies;
        private final TaskGroup group;
        private final long pageSpan;
        private final List<DirtyChunks.FewPages> waiting = new ArrayList<>();
        private @Nullable PageDraft draft;

        private Drafts(ChunkFiller filler, Tallies tallies, TaskGroup group) {
            this.filler = filler;
            this.tallies = tallies;
            this.group = group;
            this.pageSpan = (long) ImageIndex.PAGE_ENTRIES * filler.target().chunkSizeBytes();
        }

        private PageDraft draftFor(long offsetBytes) throws StoreException {
            int page = (int) (offsetBytes / pageSpan);
            PageDraft current = draft;
            if (current == null || current.page() != page) {
                finish();
                current = new PageDraft(filler.target(), page, filler.basePage(page), chunks, tallies.index());
                draft = current;
            }
            return current;
        }

        private void addRun(ByteRange batch) throws StoreException {
            submit(filler, batch, draftFor(batch.offsetBytes()), tallies.data(), group);
        }

        private void addFew(DirtyChunks.FewPages chunk) throws StoreException {
            PageDraft current = draftFor(chunk.offsetBytes());
            waiting.add(chunk);
            if (waiting.size() == SPLITS_AT_ONCE) {
                submitSplits(current);
            }
        }

        private void submitSplits(PageDraft current) throws StoreException {
            List<DirtyChunks.FewPages> taken = List.copyOf(waiting);
            waiting.clear();
            new SplitTask(filler, current, chunks, tallies.data()).submit(taken, group);
        }

        private void finish() throws StoreException {
            PageDraft last = draft;
            if (last != null) {
                if (!waiting.isEmpty()) {
                    submitSplits(last);
                }
                group.submit(last::release);
            }
            draft = null;
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
