package org.stillcut.agent.disk;

/**
 * A run of bytes of a virtual disk that one layer determines.
 *
 * @param guestOffsetBytes where the guest sees it
 * @param lengthBytes at least 1
 * @param kind whether the bytes are in the layer's file, or are all zero
 * @param fileOffsetBytes where the first byte is in the layer's file; 0 and without meaning for zeros
 */
public record Extent(long guestOffsetBytes, long lengthBytes, Kind kind, long fileOffsetBytes) {

    public enum Kind {
        DATA,
        ZERO
    }

    public Extent {
        if (guestOffsetBytes < 0 || lengthBytes < 1 || fileOffsetBytes < 0) {
            throw new IllegalArgumentException(
                    "extent of " + lengthBytes + " B at " + guestOffsetBytes + ", in the file at " + fileOffsetBytes);
        }
    }

    /** The guest offset after the last byte. */
    public long guestEndBytes() {
        return guestOffsetBytes + lengthBytes;
    }

    /** The part between two guest offsets, both within the extent. */
    Extent slice(long fromBytes, long toBytes) {
        long fileOffset = kind == Kind.DATA ? fileOffsetBytes + (fromBytes - guestOffsetBytes) : 0;
        return new Extent(fromBytes, toBytes - fromBytes, kind, fileOffset);
    }
}
