package org.stillcut.store.image;

import java.util.ArrayList;
import java.util.List;
import org.stillcut.store.ByteRange;

/**
 * What of an image has to be written anew: runs of whole chunks, and chunks of which only few pages changed. In ascending order.
 *
 * @param runs whole chunks
 * @param few chunks with few changed pages, none of them in a run
 */
record DirtyChunks(List<ByteRange> runs, List<FewPages> few) {

    /** A chunk, and its changed pages as bits of a mask. */
    record FewPages(long offsetBytes, long mask) {}

    /** Only whole chunks. */
    static DirtyChunks whole(List<ByteRange> ranges, int chunkSizeBytes) {
        return new DirtyChunks(RangeSet.alignOutwards(ranges, chunkSizeBytes), List.of());
    }

    /**
     * Divides normalized ranges up. The image's last chunk is always written as a whole, since it is filled up with zeros.
     *
     * @param lengthBytes length of the image
     */
    static DirtyChunks divide(List<ByteRange> ranges, int chunkSizeBytes, long lengthBytes) {
        long lastChunk = (lengthBytes - 1) / chunkSizeBytes * chunkSizeBytes;
        List<ByteRange> runs = new ArrayList<>();
        List<FewPages> few = new ArrayList<>();
        long chunk = -1;
        long mask = 0;
        for (ByteRange range : ranges) {
            for (long at = range.offsetBytes(); at < range.endBytes(); ) {
                long start = Math.floorDiv(at, chunkSizeBytes) * chunkSizeBytes;
                if (start != chunk) {
                    add(chunk, mask, chunkSizeBytes, lastChunk, runs, few);
                    chunk = start;
                    mask = 0;
                }
                long end = Math.min(range.endBytes(), start + chunkSizeBytes);
                mask |= bits((at - start) / SplitChunk.PAGE_BYTES, Math.ceilDiv(end - start, SplitChunk.PAGE_BYTES));
                at = end;
            }
        }
        add(chunk, mask, chunkSizeBytes, lastChunk, runs, few);
        return new DirtyChunks(RangeSet.normalize(runs, Long.MAX_VALUE), few);
    }

    private static void add(
            long chunk, long mask, int chunkSizeBytes, long lastChunk, List<ByteRange> runs, List<FewPages> few) {
        if (chunk < 0) {
            return;
        }
        boolean isFew =
                Long.bitCount(mask) <= Math.min(SplitChunk.MOST_PAGES, chunkSizeBytes / SplitChunk.PAGE_BYTES / 2);
        if (isFew && chunk != lastChunk) {
            few.add(new FewPages(chunk, mask));
        } else {
            runs.add(new ByteRange(chunk, chunkSizeBytes));
        }
    }

    /** Bits from one number up to, not including, another. */
    private static long bits(long from, long to) {
        long below = to >= Long.SIZE ? -1L : (1L << to) - 1;
        return below & -1L << from;
    }
}
