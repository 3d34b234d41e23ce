package org.stillcut.store;

import java.nio.ByteBuffer;
import java.util.HexFormat;

/**
 * Identity of a chunk: the SHA-256 of its raw bytes, held as four big-endian words.
 *
 * <p>The value of 32 zero bytes is reserved: it marks a chunk of zeros in an image index, and is never stored in a pack.
 */
public record ChunkId(long word0, long word1, long word2, long word3) implements Comparable<ChunkId> {

    /** Length of an id in every format. */
    public static final int LENGTH_BYTES = 32;

    /** The reserved marker of a chunk that holds only zeros. */
    public static final ChunkId ZERO = new ChunkId(0, 0, 0, 0);

    /** Reads the 32 bytes at the buffer's position and moves the position behind them. */
    public static ChunkId readFrom(ByteBuffer buffer) {
        return new ChunkId(buffer.getLong(), buffer.getLong(), buffer.getLong(), buffer.getLong());
    }

    /** The id in these 32 bytes. */
    public static ChunkId of(byte[] digest) {
        if (digest.length != LENGTH_BYTES) {
            throw new IllegalArgumentException("a chunk id has 32 bytes, not " + digest.length);
        }
        return readFrom(ByteBuffer.wrap(digest));
    }

    /** Reads 64 lower-case hexadecimal digits. */
    public static ChunkId parse(String hex) {
        return of(HexFormat.of().parseHex(hex));
    }

    /** Writes the 32 bytes at the buffer's position. */
    public void writeTo(ByteBuffer buffer) {
        buffer.putLong(word0).putLong(word1).putLong(word2).putLong(word3);
    }

    /** The 32 bytes. */
    public byte[] toBytes() {
        byte[] bytes = new byte[LENGTH_BYTES];
        writeTo(ByteBuffer.wrap(bytes));
        return bytes;
    }

    /** Whether this is the marker of a chunk of zeros. */
    public boolean isZeroMarker() {
        return (word0 | word1 | word2 | word3) == 0;
    }

    @Override
    public int compareTo(ChunkId other) {
        int order = Long.compareUnsigned(word0, other.word0);
        order = order != 0 ? order : Long.compareUnsigned(word1, other.word1);
        order = order != 0 ? order : Long.compareUnsigned(word2, other.word2);
        return order != 0 ? order : Long.compareUnsigned(word3, other.word3);
    }

    @Override
    public String toString() {
        return HexFormat.of().formatHex(toBytes());
    }
}
