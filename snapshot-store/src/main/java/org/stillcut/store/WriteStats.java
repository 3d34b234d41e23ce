package org.stillcut.store;

/**
 * What writing one or more images cost.
 *
 * @param bytesRead bytes taken from the image source
 * @param chunksNew data chunks that the repository did not have
 * @param chunksKnown data chunks that it had, and that cost nothing
 * @param chunksZero data chunks of zeros, which are never stored
 * @param storedBytes bytes appended to packs for new data and index chunks, record headers included, pack headers and footers not
 */
public record WriteStats(long bytesRead, long chunksNew, long chunksKnown, long chunksZero, long storedBytes) {

    /** Nothing written yet. */
    public static final WriteStats NONE = new WriteStats(0, 0, 0, 0, 0);

    /** Both together. */
    public WriteStats plus(WriteStats other) {
        return new WriteStats(
                bytesRead + other.bytesRead,
                chunksNew + other.chunksNew,
                chunksKnown + other.chunksKnown,
                chunksZero + other.chunksZero,
                storedBytes + other.storedBytes);
    }
}
