package org.stillcut.store.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.ChunkId;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreIoException;
import org.stillcut.store.chunk.ChunkStore;
import org.stillcut.store.chunk.ChunkStore.ChunkRequest;
import org.stillcut.store.codec.ChunkCodec;

/**
 * Reads the chunks of one index page, slice by slice: each slice's chunks, and the parts of its split ones, in the order of their places in the packs;
 * then it is handed over in the order of the image, in runs as long as there are. Used by one thread.
 */
final class PageReader {

    /** Of runs of 4 MiB a file takes 1 GiB with 256 accesses. */
    private static final int SLICE_BYTES = 4 << 20;

    /** In a request's tag: a whole chunk or the base of a split one; a chunk has at most 64 pages. */
    private static final int WHOLE = 64;

    private static final int PARTS = 128;
    private static final byte[] ZEROS = new byte[SplitChunk.PAGE_BYTES];

    private final ChunkStore chunks;
    private final ImageIndex index;
    private final ChunkCodec codec;
    private final long firstChunk;
    private final int entries;
    private final byte[] ids;
    private final Map<Integer, SplitChunk> splits = new HashMap<>();

    PageReader(ChunkStore chunks, ImageIndex index, int page, ChunkCodec codec) throws StoreException {
        this.chunks = chunks;
        this.index = index;
        this.codec = codec;
        this.firstChunk = (long) page * ImageIndex.PAGE_ENTRIES;
        this.entries = (int) Math.min(ImageIndex.PAGE_ENTRIES, index.chunkCount() - firstChunk);
        this.ids = IndexPages.readPage(chunks, index, page, codec);
    }

    void readTo(ImageSink sink) throws StoreException {
        if (index.hasSplits()) {
            findSplits();
        }
        int atOnce = Math.max(1, SLICE_BYTES / index.chunkSizeBytes());
        for (int first = 0; first < entries; first += atOnce) {
            int end = Math.min(entries, first + atOnce);
            ByteBuffer slice = codec.sliceBuffer(Math.max(SLICE_BYTES, index.chunkSizeBytes()));
            readSlice(first, end, slice);
            handOver(first, end, slice, sink);
        }
    }

    private ChunkId id(int entry) {
        return IndexPages.idAt(ids, entry);
    }

    /** A chunk of another length than the image's chunks can only be a split one. */
    private void findSplits() throws StoreException {
        List<ChunkId> all = new ArrayList<>(entries);
        for (int entry = 0; entry < entries; entry++) {
            all.add(id(entry));
        }
        int[] lengths = chunks.lengths(all);
        List<ChunkRequest> wanted = new ArrayList<>();
        for (int entry = 0; entry < entries; entry++) {
            if (!all.get(entry).isZeroMarker() && lengths[entry] != index.chunkSizeBytes()) {
                wanted.add(new ChunkRequest(all.get(entry), entry));
            }
        }
        chunks.readAll(wanted, codec, (entry, raw, rawLength) -> {
            if (rawLength != index.chunkSizeBytes()) {
                byte[] bytes = Arrays.copyOf(raw, rawLength);
                splits.put((int) entry, SplitChunk.decode(bytes, index.chunkSizeBytes(), all.get((int) entry)));
            }
        });
    }

    private void readSlice(int first, int end, ByteBuffer slice) throws StoreException {
        List<ChunkRequest> wanted = new ArrayList<>();
        for (int entry = first; entry < end; entry++) {
            @Nullable SplitChunk split = splits.get(entry);
            int tag = (entry - first) * PARTS;
            if (split == null) {
                want(wanted, id(entry), tag + WHOLE);
                continue;
            }
            boolean zeroBase = split.base().isZeroMarker();
            want(wanted, split.base(), tag + WHOLE);
            for (int page = 0; page < index.chunkSizeBytes() / SplitChunk.PAGE_BYTES; page++) {
                boolean replaced = split.replaces(page);
                if (replaced) {
                    want(wanted, split.page(page), tag + page);
                }
                if (replaced ? split.page(page).isZeroMarker() : zeroBase) {
                    int position = (entry - first) * index.chunkSizeBytes() + page * SplitChunk.PAGE_BYTES;
                    slice.put(position, ZEROS, 0, SplitChunk.PAGE_BYTES);
                }
            }
        }
        chunks.readAll(wanted, codec, (tag, raw, rawLength) -> {
            int entry = first + (int) tag / PARTS;
            put((int) tag, splits.get(entry), raw, rawLength, slice, id(entry));
        });
    }

    private static void want(List<ChunkRequest> wanted, ChunkId id, int tag) {
        if (!id.isZeroMarker()) {
            wanted.add(new ChunkRequest(id, tag));
        }
    }

    /** The parts of a split chunk come in any order, so the base leaves out what is replaced. */
    private void put(int tag, @Nullable SplitChunk split, byte[] raw, int rawLength, ByteBuffer slice, ChunkId id)
            throws StoreException {
        int part = tag % PARTS;
        int size = index.chunkSizeBytes();
        int expected = part == WHOLE ? size : SplitChunk.PAGE_BYTES;
        if (rawLength != expected) {
            throw new StoreCorruptException(
                    Damage.MALFORMED,
                    "chunk " + id + ", or a part of it, has " + rawLength + " bytes, not " + expected);
        }
        int position = tag / PARTS * size;
        if (part != WHOLE) {
            slice.put(position + part * SplitChunk.PAGE_BYTES, raw, 0, SplitChunk.PAGE_BYTES);
        } else if (split == null) {
            slice.put(position, raw, 0, size);
        } else {
            for (int at = 0; at < size; at += SplitChunk.PAGE_BYTES) {
                if (!split.replaces(at / SplitChunk.PAGE_BYTES)) {
                    slice.put(position + at, raw, at, SplitChunk.PAGE_BYTES);
                }
            }
        }
    }

    private void handOver(int first, int end, ByteBuffer slice, ImageSink sink) throws StoreException {
        int size = index.chunkSizeBytes();
        for (int entry = first; entry < end; ) {
            if (id(entry).isZeroMarker()) {
                entry++;
                continue;
            }
            int start = entry;
            while (entry < end && !id(entry).isZeroMarker()) {
                entry++;
            }
            long offset = (firstChunk + start) * size;
            long length = Math.min((long) (entry - start) * size, index.lengthBytes() - offset);
            try {
                sink.accept(
                        offset,
                        slice.slice((start - first) * size, (int) length).asReadOnlyBuffer());
            } catch (IOException e) {
                throw new StoreIoException("the image sink failed at offset " + offset, e);
            }
        }
    }
}
