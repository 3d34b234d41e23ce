package org.stillcut.store.image;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.stillcut.store.ChunkId;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.chunk.ChunkSource;
import org.stillcut.store.codec.ChunkCodec;

/**
 * A chunk of an image of which only some pages of 4 KiB differ from a chunk that is stored already: it refers to that one and to the pages, each stored
 * as a chunk of its own. The base is never split itself, so there is no chain. Immutable.
 *
 * <pre>
 *  stored as a chunk; always shorter than the chunk that it stands for, which tells them apart (big-endian)
 *       0     8  magic "STILSPLT"
 *       8     8  mask: bit i is set when page i of 4 KiB is replaced
 *      16    32  chunk id of the base; the zero marker for zeros
 *      48  32*k  chunk ids of the replaced pages, ascending; the zero marker for a page of zeros
 * </pre>
 *
 * @param mask which pages are replaced
 * @param pages their ids, as many as the mask has bits
 */
record SplitChunk(ChunkId base, long mask, List<ChunkId> pages) {

    static final int PAGE_BYTES = 4 << 10;

    /** With more pages, a whole new chunk costs about the same and is read with one access. */
    static final int MOST_PAGES = 8;

    /** Larger chunks have more pages than the mask's use allows; smaller ones gain nothing. */
    static final int LARGEST_CHUNK_BYTES = 64 * PAGE_BYTES;

    private static final int SMALLEST_CHUNK_BYTES = 4 * PAGE_BYTES;
    private static final long MAGIC = 0x5354494C53504C54L;
    private static final int HEADER_BYTES = 48;

    SplitChunk {
        pages = List.copyOf(pages);
        if (Long.bitCount(mask) != pages.size() || pages.isEmpty() || pages.size() > MOST_PAGES) {
            throw new IllegalArgumentException("mask " + Long.toHexString(mask) + " with " + pages.size() + " pages");
        }
    }

    static boolean suits(int chunkSizeBytes) {
        return chunkSizeBytes >= SMALLEST_CHUNK_BYTES && chunkSizeBytes <= LARGEST_CHUNK_BYTES;
    }

    static SplitChunk decode(byte[] bytes, int chunkSizeBytes, ChunkId id) throws StoreCorruptException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        int count = (bytes.length - HEADER_BYTES) / ChunkId.LENGTH_BYTES;
        boolean sound = suits(chunkSizeBytes)
                && bytes.length > HEADER_BYTES
                && bytes.length == HEADER_BYTES + count * ChunkId.LENGTH_BYTES
                && count <= MOST_PAGES
                && buffer.getLong() == MAGIC;
        long mask = sound ? buffer.getLong() : 0;
        if (Long.bitCount(mask) != count || Long.SIZE - Long.numberOfLeadingZeros(mask) > chunkSizeBytes / PAGE_BYTES) {
            throw new StoreCorruptException(
                    Damage.MALFORMED,
                    "chunk " + id + " has " + bytes.length + " bytes in an image with chunks of " + chunkSizeBytes
                            + ", and is no split chunk");
        }
        ChunkId base = ChunkId.readFrom(buffer);
        List<ChunkId> pages = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            pages.add(ChunkId.readFrom(buffer));
        }
        return new SplitChunk(base, mask, pages);
    }

    byte[] encode() {
        ByteBuffer buffer = ByteBuffer.allocate(HEADER_BYTES + pages.size() * ChunkId.LENGTH_BYTES);
        buffer.putLong(MAGIC).putLong(mask);
        base.writeTo(buffer);
        pages.forEach(page -> page.writeTo(buffer));
        return buffer.array();
    }

    /** The id of a page that is replaced. */
    ChunkId page(int number) {
        return pages.get(Long.bitCount(mask & ((1L << number) - 1)));
    }

    boolean replaces(int number) {
        return (mask >>> number & 1) != 0;
    }

    /** Puts the chunk together in the target, from its start. */
    void read(ChunkSource chunks, ChunkCodec codec, byte[] target, int chunkSizeBytes) throws StoreException {
        copy(base, chunks, codec, target, 0, chunkSizeBytes);
        for (int number = 0; number < chunkSizeBytes / PAGE_BYTES; number++) {
            if (replaces(number)) {
                copy(page(number), chunks, codec, target, number * PAGE_BYTES, PAGE_BYTES);
            }
        }
    }

    private static void copy(ChunkId id, ChunkSource chunks, ChunkCodec codec, byte[] target, int position, int length)
            throws StoreException {
        if (id.isZeroMarker()) {
            Arrays.fill(target, position, position + length, (byte) 0);
            return;
        }
        byte[] content = chunks.read(id, codec);
        if (content.length != length) {
            throw new StoreCorruptException(
                    Damage.MALFORMED,
                    "part " + id + " of a split chunk has " + content.length + " bytes, not " + length);
        }
        System.arraycopy(content, 0, target, position, length);
    }
}
