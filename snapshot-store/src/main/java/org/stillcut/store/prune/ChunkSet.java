package org.stillcut.store.prune;

import org.stillcut.store.ChunkId;

/**
 * A set of chunks that may say of a chunk that it is in, although it is not, but never the other way round: it keeps 8 of the 32 bytes of each id. A
 * wrong answer, of which one is expected in a repository of four thousand million chunks, keeps a chunk that could go. 8 million chunks take 128 MiB.
 * Not thread-safe.
 */
final class ChunkSet {

    private static final int SMALLEST = 1 << 10;

    private long[] words = new long[SMALLEST];
    private int size;
    private boolean hasZeroWord;

    /** Adds a chunk; false when it was in, or seemed so. */
    boolean add(ChunkId chunk) {
        long word = chunk.word0();
        if (word == 0) {
            boolean added = !hasZeroWord;
            hasZeroWord = true;
            return added;
        }
        if (2 * size >= words.length) {
            grow();
        }
        int slot = slotOf(word);
        if (words[slot] == word) {
            return false;
        }
        words[slot] = word;
        size++;
        return true;
    }

    boolean contains(ChunkId chunk) {
        long word = chunk.word0();
        return word == 0 ? hasZeroWord : words[slotOf(word)] == word;
    }

    /** The slot that has the word, or the free one where it belongs; ids are digests, so their low bits are as good as any hash. */
    private int slotOf(long word) {
        int mask = words.length - 1;
        int slot = (int) word & mask;
        while (words[slot] != 0 && words[slot] != word) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void grow() {
        long[] old = words;
        if (old.length >= 1 << 30) {
            throw new IllegalStateException("more chunks than one prune can handle: " + size);
        }
        words = new long[2 * old.length];
        for (long word : old) {
            if (word != 0) {
                words[slotOf(word)] = word;
            }
        }
    }
}
