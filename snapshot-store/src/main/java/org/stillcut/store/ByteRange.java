package org.stillcut.store;

/** The bytes from {@code offsetBytes} up to, not including, {@code offsetBytes + lengthBytes} of an image. */
public record ByteRange(long offsetBytes, long lengthBytes) {

    /** Checks the values. */
    public ByteRange {
        if (offsetBytes < 0 || lengthBytes <= 0 || offsetBytes > Long.MAX_VALUE - lengthBytes) {
            throw new IllegalArgumentException("bad range: offset " + offsetBytes + ", length " + lengthBytes);
        }
    }

    /** The offset of the first byte behind the range. */
    public long endBytes() {
        return offsetBytes + lengthBytes;
    }
}
