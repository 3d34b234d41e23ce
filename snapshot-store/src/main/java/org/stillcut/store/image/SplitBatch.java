package org.stillcut.store.image;

import java.util.ArrayList;
import java.util.List;
import org.stillcut.store.ChunkId;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.chunk.ChunkStore;
import org.stillcut.store.chunk.ChunkStore.ChunkRequest;
import org.stillcut.store.chunk.ChunkStore.ChunkVisitor;
import org.stillcut.store.codec.ChunkCodec;

/** Reads split chunks, a few at a time, so that their parts are read in the order of their places. Used by one thread. */
final class SplitBatch {

    /** One megabyte of chunks of 64 KiB. */
    private static final int AT_ONCE = 16;

    /** Tells the base from the pages in a request's tag; a chunk has at most 64 pages. */
    private static final int BASE = 64;

    private static final int PARTS = 128;

    private final ChunkStore chunks;
    private final int chunkSizeBytes;
    private final ChunkVisitor visitor;
    private final List<Entry> entries = new ArrayList<>();

    private record Entry(long tag, SplitChunk split) {}

    /** Hands whole chunks to the visitor, with the tags that they were added with. */
    SplitBatch(ChunkStore chunks, int chunkSizeBytes, ChunkVisitor visitor) {
        this.chunks = chunks;
        this.chunkSizeBytes = chunkSizeBytes;
        this.visitor = visitor;
    }

    void add(long tag, SplitChunk split) {
        entries.add(new Entry(tag, split));
    }

    void read(ChunkCodec codec) throws StoreException {
        for (int first = 0; first < entries.size(); first += AT_ONCE) {
            readSome(entries.subList(first, Math.min(entries.size(), first + AT_ONCE)), codec);
        }
    }

    private void readSome(List<Entry> some, ChunkCodec codec) throws StoreException {
        List<ChunkRequest> requests = new ArrayList<>();
        List<byte[]> joined = new ArrayList<>();
        for (int i = 0; i < some.size(); i++) {
            SplitChunk split = some.get(i).split();
            joined.add(new byte[chunkSizeBytes]);
            request(requests, split.base(), i * PARTS + BASE);
            for (int number = 0; number < chunkSizeBytes / SplitChunk.PAGE_BYTES; number++) {
                if (split.replaces(number)) {
                    request(requests, split.page(number), i * PARTS + number);
                }
            }
        }
        chunks.readAll(requests, codec, (tag, raw, rawLength) -> {
            int slot = (int) tag / PARTS;
            put(some.get(slot).split(), (int) tag % PARTS, raw, rawLength, joined.get(slot));
        });
        for (int i = 0; i < some.size(); i++) {
            visitor.accept(some.get(i).tag(), joined.get(i), chunkSizeBytes);
        }
    }

    private static void request(List<ChunkRequest> requests, ChunkId id, int tag) {
        if (!id.isZeroMarker()) {
            requests.add(new ChunkRequest(id, tag));
        }
    }

    /** The parts come in any order, so the base leaves out what is replaced. */
    private void put(SplitChunk split, int part, byte[] raw, int rawLength, byte[] target) throws StoreException {
        int expected = part == BASE ? chunkSizeBytes : SplitChunk.PAGE_BYTES;
        if (rawLength != expected) {
            throw new StoreCorruptException(
                    Damage.MALFORMED, "a part of a split chunk has " + rawLength + " bytes, not " + expected);
        }
        if (part != BASE) {
            System.arraycopy(raw, 0, target, part * SplitChunk.PAGE_BYTES, SplitChunk.PAGE_BYTES);
            return;
        }
        for (int number = 0; number < chunkSizeBytes / SplitChunk.PAGE_BYTES; number++) {
            if (!split.replaces(number)) {
                int at = number * SplitChunk.PAGE_BYTES;
                System.arraycopy(raw, at, target, at, SplitChunk.PAGE_BYTES);
            }
        }
    }
}
