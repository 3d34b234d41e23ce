package org.stillcut.store;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.random.RandomGenerator;

/** Identity of a pack: 128 random bits. Writers on different nodes need no agreement to choose different ids. */
public record PackId(long high, long low) {

    /** Length of an id in every format. */
    public static final int LENGTH_BYTES = 16;

    /** Draws a new id; the generator must be seeded so that no two writers ever draw the same. */
    public static PackId random(RandomGenerator random) {
        return new PackId(random.nextLong(), random.nextLong());
    }

    /** Reads the 16 bytes at the buffer's position. */
    public static PackId readFrom(ByteBuffer buffer) {
        return new PackId(buffer.getLong(), buffer.getLong());
    }

    /** Reads 32 lower-case hexadecimal digits. */
    public static PackId parse(String hex) {
        return readFrom(ByteBuffer.wrap(HexFormat.of().parseHex(hex)));
    }

    /** Writes the 16 bytes at the buffer's position. */
    public void writeTo(ByteBuffer buffer) {
        buffer.putLong(high).putLong(low);
    }

    @Override
    public String toString() {
        return HexFormat.of().toHexDigits(high) + HexFormat.of().toHexDigits(low);
    }
}
