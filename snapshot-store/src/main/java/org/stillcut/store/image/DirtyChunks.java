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
     * @param sourceIsWhole whether pages can be read of which only a part is in a range
     * @param lengthBytes length of the image
     */
    static DirtyChunks divide(List<ByteRange> ranges, boolean sourceIsWhole, int chunkSizeBytes, long lengthBytes) {
        Division division = new Division(chunkSizeBytes, (lengthBytes - 1) / chunkSizeBytes * chunkSizeBytes);
        for (ByteRange range : ranges) {
            for (long at = range.offsetBytes(); at < range.endBytes(); ) {
                long chunk = Math.floorDiv(at, chunkSizeBytes) * chunkSizeBytes;
                long end = Math.min(range.endBytes(), chunk + chunkSizeBytes);
                boolean wholePages =
                        sourceIsWhole || (at % SplitChunk.PAGE_BYTES == 0 && end % SplitChunk.PAGE_BYTES == 0);
                division.add(chunk, pages(at - chunk, end - chunk), wholePages);
                at = end;
            }
        }
        division.finish();
        return new DirtyChunks(RangeSet.normalize(division.runs, Long.MAX_VALUE), division.few);
    }

    /** The chunk in hand, and what was found of those before. */
    private static final class Division {
        private final int chunkSizeBytes;
        private final long lastChunk;
        private final List<ByteRange> runs = new ArrayList<>();
        private final List<FewPages> few = new ArrayList<>();
        private long chunk = -1;
        private long mask;
        private boolean divisible;

        private Division(int chunkSizeBytes, long lastChunk) {
            this.chunkSizeBytes = chunkSizeBytes;
            this.lastChunk = lastChunk;
        }

        private void add(long next, long pages, boolean wholePages) {
            if (next != chunk) {
                finish();
                chunk = next;
                mask = 0;
                divisible = next != lastChunk;
            }
            mask |= pages;
            divisible &= wholePages;
        }

        private void finish() {
            int most = Math.min(SplitChunk.MOST_PAGES, chunkSizeBytes / SplitChunk.PAGE_BYTES / 2);
            if (chunk >= 0 && divisible && Long.bitCount(mask) <= most) {
                few.add(new FewPages(chunk, mask));
            } else if (chunk >= 0) {
                runs.add(new ByteRange(chunk, chunkSizeBytes));
            }
        }
    }

    /** The pages that these bytes of a chunk touch. */
    private static long pages(long fromBytes, long toBytes) {
        return bits(fromBytes / SplitChunk.PAGE_BYTES, Math.ceilDiv(toBytes, SplitChunk.PAGE_BYTES));
    }

    /** Bits from one number up to, not including, another. */
    private static long bits(long from, long to) {
        long below = to >= Long.SIZE ? -1L : (1L << to) - 1;
        return below & -1L << from;
    }
}
