package org.stillcut.store.pack;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.stillcut.store.ChunkId;
import org.stillcut.store.codec.Encoding;

/**
 * One chunk in a pack.
 *
 * @param offsetBytes where its record starts, from the start of the pack
 * @param storedLengthBytes length of the payload behind the record's header
 * @param rawLengthBytes length of the chunk
 */
public record PackEntry(ChunkId chunk, Encoding encoding, long offsetBytes, int storedLengthBytes, int rawLengthBytes) {

    /** Length of the record's header. */
    public static final int HEADER_BYTES = PackFormat.RECORD_HEADER_BYTES;

    /** The record's header as it stands in a pack. */
    public byte[] header() {
        return PackFormat.recordHeader(this);
    }

    /** Reads the header of a record; nothing when its magic, checksum or a value is wrong. */
    public static Optional<PackEntry> readHeader(ByteBuffer source, long offsetBytes) {
        return PackFormat.readRecordHeader(source, offsetBytes);
    }

    /** The offset of the first byte behind the record. */
    public long endBytes() {
        return offsetBytes + PackFormat.RECORD_HEADER_BYTES + storedLengthBytes;
    }
}
