package org.stillcut.store.image;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;

/**
 * The root of an image's index: which index pages the image has. An index page is a chunk with the ids of 512 data chunks, one behind the other; the
 * zero marker stands for a data chunk, or a whole page, of zeros.
 *
 * <pre>
 *  root, stored as a chunk (big-endian)
 *       0     8  magic "STILIMGR"
 *       8     4  format version: 1, or 2 when entries of pages may be split chunks
 *      12     4  chunk size
 *      16     8  image length
 *      24     4  number of pages n
 *      28     4  reserved, 0
 *      32  32*n  chunk ids of the pages
 * </pre>
 *
 * <p>Every data chunk has the full chunk size: the last one is filled up with zeros. Pages and chunks are content-addressed, so what did not change
 * is shared with other images without any reference between them.
 */
final class ImageIndex {

    static final int MIN_CHUNK_SIZE_BYTES = 4 << 10;
    static final int MAX_CHUNK_SIZE_BYTES = 1 << 20;
    static final int PAGE_ENTRIES = 512;
    static final int PAGE_BYTES = PAGE_ENTRIES * ChunkId.LENGTH_BYTES;

    /** Keeps the root within the longest chunk, 16 MiB; with 64 KiB chunks an image may have almost 16 TiB. */
    static final int PAGE_LIMIT = 500_000;

    private static final int VERSION = 1;
    private static final int VERSION_WITH_SPLITS = 2;
    private static final long MAGIC = 0x5354494C494D4752L;
    private static final int HEADER_BYTES = 32;

    private final int chunkSizeBytes;
    private final long lengthBytes;
    private final ChunkId[] pages;

    /** Set by any of the threads that write the image. */
    private volatile boolean splits;

    private ImageIndex(int chunkSizeBytes, long lengthBytes, ChunkId[] pages) {
        this.chunkSizeBytes = chunkSizeBytes;
        this.lengthBytes = lengthBytes;
        this.pages = pages;
    }

    static void requireChunkSize(int chunkSizeBytes) {
        if (!isChunkSize(chunkSizeBytes)) {
            throw new IllegalArgumentException(
                    "chunk size " + chunkSizeBytes + " is not a power of two from 4 KiB to 1 MiB");
        }
    }

    /** An image of zeros. */
    static ImageIndex zeros(int chunkSizeBytes, long lengthBytes) {
        requireChunkSize(chunkSizeBytes);
        long count = pageCount(chunkSizeBytes, lengthBytes);
        if (lengthBytes < 0 || count > PAGE_LIMIT) {
            throw new IllegalArgumentException(
                    "image of " + lengthBytes + " bytes is too long for chunks of " + chunkSizeBytes);
        }
        ChunkId[] pages = new ChunkId[(int) count];
        Arrays.fill(pages, ChunkId.ZERO);
        return new ImageIndex(chunkSizeBytes, lengthBytes, pages);
    }

    /** The same pages for another length: those behind the new end dropped, those behind the old one of zeros. */
    ImageIndex withLength(long newLengthBytes) {
        ImageIndex resized = zeros(chunkSizeBytes, newLengthBytes);
        System.arraycopy(pages, 0, resized.pages, 0, Math.min(pages.length, resized.pages.length));
        resized.splits = splits;
        return resized;
    }

    /** Reads a root that was checked against its digest already; its values are checked here nevertheless. */
    static ImageIndex decode(byte[] root, ImageRef ref) throws StoreException {
        String name = "image index " + ref.root();
        if (root.length < HEADER_BYTES) {
            throw new StoreCorruptException(Damage.SHORT, name + " has only " + root.length + " bytes");
        }
        ByteBuffer buffer = ByteBuffer.wrap(root);
        if (buffer.getLong() != MAGIC) {
            throw new StoreCorruptException(Damage.FOREIGN_MAGIC, name + " is no image index");
        }
        int version = buffer.getInt();
        if (version != VERSION && version != VERSION_WITH_SPLITS) {
            throw new StoreFormatException(name, version, VERSION_WITH_SPLITS);
        }
        int chunkSize = buffer.getInt();
        long length = buffer.getLong();
        int count = buffer.getInt();
        buffer.getInt();
        boolean sound = isChunkSize(chunkSize)
                && length == ref.lengthBytes()
                && pageCount(chunkSize, length) == count
                && root.length == HEADER_BYTES + (long) count * ChunkId.LENGTH_BYTES;
        if (!sound) {
            throw new StoreCorruptException(
                    Damage.MALFORMED,
                    name + ": chunk size " + chunkSize + ", length " + length + " (expected " + ref.lengthBytes()
                            + "), " + count + " pages in " + root.length + " bytes");
        }
        ChunkId[] pages = new ChunkId[count];
        for (int i = 0; i < count; i++) {
            pages[i] = ChunkId.readFrom(buffer);
        }
        ImageIndex index = new ImageIndex(chunkSize, length, pages);
        index.splits = version == VERSION_WITH_SPLITS;
        return index;
    }

    /** Whether entries of pages may be split chunks. */
    boolean hasSplits() {
        return splits;
    }

    /** From now on, they may be. */
    void allowSplits() {
        splits = true;
    }

    byte[] encode() {
        ByteBuffer root = ByteBuffer.allocate(HEADER_BYTES + pages.length * ChunkId.LENGTH_BYTES);
        root.putLong(MAGIC)
                .putInt(splits ? VERSION_WITH_SPLITS : VERSION)
                .putInt(chunkSizeBytes)
                .putLong(lengthBytes);
        root.putInt(pages.length).putInt(0);
        for (ChunkId page : pages) {
            page.writeTo(root);
        }
        return root.array();
    }

    int chunkSizeBytes() {
        return chunkSizeBytes;
    }

    long lengthBytes() {
        return lengthBytes;
    }

    int pageCount() {
        return pages.length;
    }

    /** The number of data chunks. */
    long chunkCount() {
        return Math.ceilDiv(lengthBytes, chunkSizeBytes);
    }

    ChunkId page(int index) {
        return pages[index];
    }

    /** Another page in this place; each place is set by one thread, before the index is encoded. */
    void setPage(int index, ChunkId page) {
        pages[index] = page;
    }

    private static boolean isChunkSize(int chunkSizeBytes) {
        return chunkSizeBytes >= MIN_CHUNK_SIZE_BYTES
                && chunkSizeBytes <= MAX_CHUNK_SIZE_BYTES
                && Integer.bitCount(chunkSizeBytes) == 1;
    }

    private static long pageCount(int chunkSizeBytes, long lengthBytes) {
        return Math.ceilDiv(Math.ceilDiv(lengthBytes, chunkSizeBytes), PAGE_ENTRIES);
    }
}
