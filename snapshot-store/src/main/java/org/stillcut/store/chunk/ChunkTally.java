package org.stillcut.store.chunk;

import java.util.concurrent.atomic.LongAdder;

/** Counts what storing chunks cost. Thread-safe. */
public final class ChunkTally {

    private final LongAdder fresh = new LongAdder();
    private final LongAdder known = new LongAdder();
    private final LongAdder zero = new LongAdder();
    private final LongAdder storedBytes = new LongAdder();

    void countNew(long bytes) {
        fresh.increment();
        storedBytes.add(bytes);
    }

    void countKnown() {
        known.increment();
    }

    void countZero() {
        zero.increment();
    }

    /** Chunks that were appended to a pack. */
    public long newChunks() {
        return fresh.sum();
    }

    /** Chunks that were there already. */
    public long knownChunks() {
        return known.sum();
    }

    /** Chunks of zeros. */
    public long zeroChunks() {
        return zero.sum();
    }

    /** Bytes appended to packs for the new chunks. */
    public long storedBytes() {
        return storedBytes.sum();
    }
}
