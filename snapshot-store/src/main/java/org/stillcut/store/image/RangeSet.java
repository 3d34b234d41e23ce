package org.stillcut.store.image;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.stillcut.store.ByteRange;

/** Ranges brought into order: ascending, apart from each other, within the image. */
final class RangeSet {

    private RangeSet() {}

    /** Sorts and joins the ranges, and cuts them at {@code limitBytes}. */
    static List<ByteRange> normalize(List<ByteRange> ranges, long limitBytes) {
        List<ByteRange> sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingLong(ByteRange::offsetBytes));
        List<ByteRange> joined = new ArrayList<>();
        for (ByteRange range : sorted) {
            long start = range.offsetBytes();
            long end = Math.min(range.endBytes(), limitBytes);
            if (start >= end) {
                continue;
            }
            if (!joined.isEmpty() && joined.getLast().endBytes() >= start) {
                ByteRange last = joined.removeLast();
                start = last.offsetBytes();
                end = Math.max(end, last.endBytes());
            }
            joined.add(new ByteRange(start, end - start));
        }
        return joined;
    }

    /** The normalized ranges widened to multiples of the chunk size: what has to be written anew. */
    static List<ByteRange> alignOutwards(List<ByteRange> ranges, int chunkSizeBytes) {
        List<ByteRange> aligned = new ArrayList<>(ranges.size());
        for (ByteRange range : ranges) {
            long start = Math.floorDiv(range.offsetBytes(), chunkSizeBytes) * chunkSizeBytes;
            long end = Math.ceilDiv(range.endBytes(), chunkSizeBytes) * chunkSizeBytes;
            aligned.add(new ByteRange(start, end - start));
        }
        return normalize(aligned, Long.MAX_VALUE);
    }
}
