package org.stillcut.store.pack;

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

    /** The offset of the first byte behind the record. */
    public long endBytes() {
        return offsetBytes + PackFormat.RECORD_HEADER_BYTES + storedLengthBytes;
    }
}
