package org.stillcut.store.image;

import java.util.Arrays;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.chunk.ChunkSource;
import org.stillcut.store.codec.ChunkCodec;

/**
 * How much two images differ, found from their indexes alone.
 *
 * @param isComparable false when the images have chunks of different sizes, so that nothing is known
 * @param changedBytes length of the chunks that differ, those included that only one of the images has
 */
public record ImageDifference(boolean isComparable, long changedBytes) {

    /** Compares two images; reads only those parts of the indexes that differ. */
    public static ImageDifference of(ImageRef left, ImageRef right, ChunkSource chunks, ChunkCodec codec)
            throws StoreException {
        if (left.equals(right)) {
            return new ImageDifference(true, 0);
        }
        ImageIndex one = IndexPages.readRoot(chunks, left, codec);
        ImageIndex other = IndexPages.readRoot(chunks, right, codec);
        if (one.chunkSizeBytes() != other.chunkSizeBytes()) {
            return new ImageDifference(false, 0);
        }
        long changed = 0;
        for (int page = 0; page < Math.max(one.pageCount(), other.pageCount()); page++) {
            if (!idOf(one, page).equals(idOf(other, page))) {
                changed += changedChunks(pageOf(one, page, chunks, codec), pageOf(other, page, chunks, codec));
            }
        }
        return new ImageDifference(true, changed * one.chunkSizeBytes());
    }

    private static ChunkId idOf(ImageIndex index, int page) {
        return page < index.pageCount() ? index.page(page) : ChunkId.ZERO;
    }

    private static byte[] pageOf(ImageIndex index, int page, ChunkSource chunks, ChunkCodec codec)
            throws StoreException {
        return page < index.pageCount()
                ? IndexPages.readPage(chunks, index, page, codec)
                : new byte[ImageIndex.PAGE_BYTES];
    }

    private static int changedChunks(byte[] one, byte[] other) {
        int changed = 0;
        for (int at = 0; at < one.length; at += ChunkId.LENGTH_BYTES) {
            int end = at + ChunkId.LENGTH_BYTES;
            changed += Arrays.equals(one, at, end, other, at, end) ? 0 : 1;
        }
        return changed;
    }
}
