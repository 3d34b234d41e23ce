package org.stillcut.store.image;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.stillcut.store.ChunkId;
import org.stillcut.store.MissingChunkException;
import org.stillcut.store.StoreException;
import org.stillcut.store.chunk.ChunkSession;
import org.stillcut.store.chunk.ChunkTally;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.image.DirtyChunks.FewPages;
import org.stillcut.store.work.TaskGroup;

/** Stores chunks of one index page of which few pages changed. Begun by the producing thread, which reads the source; finished by a worker. */
final class SplitTask {

    private final ChunkFiller filler;
    private final PageDraft draft;
    private final ChunkSession chunks;
    private final ChunkTally tally;
    private final int chunkSizeBytes;

    SplitTask(ChunkFiller filler, PageDraft draft, ChunkSession chunks, ChunkTally tally) {
        this.filler = filler;
        this.draft = draft;
        this.chunks = chunks;
        this.tally = tally;
        this.chunkSizeBytes = filler.target().chunkSizeBytes();
    }

    /** What becomes of one chunk: a split one over its base, or a whole one when too many pages have changed since. */
    private record Plan(FewPages dirty, ChunkId base, long keptMask, List<ChunkId> kept, ByteBuffer content) {

        boolean isWhole() {
            return dirty.mask() == 0;
        }
    }

    void submit(List<FewPages> taken, TaskGroup group) throws StoreException {
        List<Plan> plans = new ArrayList<>(taken.size());
        int[] lengths = filler.baseHasSplits() ? chunks.lengths(bases(taken)) : new int[0];
        for (int i = 0; i < taken.size(); i++) {
            ChunkId base = filler.baseChunk(taken.get(i).offsetBytes());
            boolean split = lengths.length > 0 && !base.isZeroMarker() && lengths[i] != chunkSizeBytes;
            if (split && lengths[i] < 0) {
                throw new MissingChunkException(base);
            }
            plans.add(split ? planOver(taken.get(i), base) : planPages(taken.get(i), base, 0, List.of()));
        }
        filler.target().allowSplits();
        draft.retain();
        group.submit(codec -> {
            for (Plan plan : plans) {
                store(plan, codec);
            }
            draft.release(codec);
        });
    }

    private List<ChunkId> bases(List<FewPages> taken) {
        return taken.stream()
                .map(chunk -> filler.baseChunk(chunk.offsetBytes()))
                .toList();
    }

    /** Over a chunk that is split already: the same base, and the pages of both. */
    private Plan planOver(FewPages dirty, ChunkId id) throws StoreException {
        SplitChunk before = filler.readSplit(id);
        if (Long.bitCount(before.mask() | dirty.mask()) > SplitChunk.MOST_PAGES) {
            byte[] content = new byte[chunkSizeBytes];
            filler.fillChunk(dirty.offsetBytes(), content);
            return new Plan(new FewPages(dirty.offsetBytes(), 0), ChunkId.ZERO, 0, List.of(), ByteBuffer.wrap(content));
        }
        long keptMask = before.mask() & ~dirty.mask();
        List<ChunkId> kept = new ArrayList<>();
        for (int number = 0; number < Long.SIZE; number++) {
            if ((keptMask >>> number & 1) != 0) {
                kept.add(before.page(number));
            }
        }
        return planPages(dirty, before.base(), keptMask, kept);
    }

    private Plan planPages(FewPages dirty, ChunkId base, long keptMask, List<ChunkId> kept) throws StoreException {
        byte[] content = new byte[Long.bitCount(dirty.mask()) * SplitChunk.PAGE_BYTES];
        filler.fillPages(dirty, content, 0);
        return new Plan(dirty, base, keptMask, kept, ByteBuffer.wrap(content));
    }

    private void store(Plan plan, ChunkCodec codec) throws StoreException {
        int entry = (int) (plan.dirty().offsetBytes() / chunkSizeBytes % ImageIndex.PAGE_ENTRIES);
        byte[] content = plan.content().array();
        if (plan.isWhole()) {
            draft.setEntry(entry, chunks.store(content, 0, chunkSizeBytes, codec, tally));
            return;
        }
        long mask = plan.dirty().mask() | plan.keptMask();
        List<ChunkId> pages = new ArrayList<>();
        int kept = 0;
        int fresh = 0;
        for (int number = 0; number < Long.SIZE; number++) {
            if ((plan.dirty().mask() >>> number & 1) != 0) {
                pages.add(chunks.store(content, fresh++ * SplitChunk.PAGE_BYTES, SplitChunk.PAGE_BYTES, codec, tally));
            } else if ((mask >>> number & 1) != 0) {
                pages.add(plan.kept().get(kept++));
            }
        }
        byte[] split = new SplitChunk(plan.base(), mask, pages).encode();
        draft.setEntry(entry, chunks.store(split, 0, split.length, codec, draft.tally()));
    }
}
