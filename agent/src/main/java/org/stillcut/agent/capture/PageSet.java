package org.stillcut.agent.capture;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.stillcut.store.ByteRange;

/** A set of pages of one guest's RAM. Not thread-safe. */
public final class PageSet {
    /** The unit in which writes are tracked, on x86-64. */
    public static final int PAGE_BYTES = 4096;

    private final BitSet pages = new BitSet();

    /** Takes a run of pages. */
    @FunctionalInterface
    public interface RunVisitor {
        void accept(int firstPage, int pageCount) throws IOException, InterruptedException;
    }

    /** Adds all pages that the bytes touch. */
    public void addBytes(long offsetBytes, long lengthBytes) {
        pages.set((int) (offsetBytes / PAGE_BYTES), (int) Math.ceilDiv(offsetBytes + lengthBytes, (long) PAGE_BYTES));
    }

    public void addAll(PageSet others) {
        pages.or(others.pages);
    }

    public void remove(int firstPage, int pageCount) {
        pages.clear(firstPage, firstPage + pageCount);
    }

    public void clear() {
        pages.clear();
    }

    public boolean isEmpty() {
        return pages.isEmpty();
    }

    public boolean contains(int page) {
        return pages.get(page);
    }

    public int pageCount() {
        return pages.cardinality();
    }

    /** A copy, which does not change with this. */
    PageSet copy() {
        PageSet copy = new PageSet();
        copy.addAll(this);
        return copy;
    }

    /** Visits the runs in order; what the visitor removes of the run in hand does not disturb. */
    public void forEachRun(RunVisitor visitor) throws IOException, InterruptedException {
        for (int first = pages.nextSetBit(0); first >= 0; ) {
            int end = pages.nextClearBit(first);
            visitor.accept(first, end - first);
            first = pages.nextSetBit(end);
        }
    }

    /** The runs, in order. */
    public List<ByteRange> ranges() {
        List<ByteRange> ranges = new ArrayList<>();
        for (int first = pages.nextSetBit(0); first >= 0; ) {
            int end = pages.nextClearBit(first);
            ranges.add(new ByteRange((long) first * PAGE_BYTES, (long) (end - first) * PAGE_BYTES));
            first = pages.nextSetBit(end);
        }
        return ranges;
    }
}
