package org.stillcut.store.pack;

import java.nio.ByteBuffer;
import java.util.Optional;
import org.stillcut.store.ChunkId;
import org.stillcut.store.CorruptChunkException;
import org.stillcut.store.PackId;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.codec.EncodedChunk;

/**
 * Where the record of one chunk is.
 *
 * @param offsetBytes where the record starts, from the start of the pack
 * @param storedLengthBytes length of the payload behind the record's header
 * @param rawLengthBytes length of the chunk
 */
public record PackRecord(PackId pack, ChunkId chunk, long offsetBytes, int storedLengthBytes, int rawLengthBytes) {

    /** The place of an entry of this pack. */
    public static PackRecord of(PackId pack, PackEntry entry) {
        return new PackRecord(
                pack, entry.chunk(), entry.offsetBytes(), entry.storedLengthBytes(), entry.rawLengthBytes());
    }

    /** Length of the record with its header. */
    public int lengthBytes() {
        return PackFormat.RECORD_HEADER_BYTES + storedLengthBytes;
    }

    /** The offset of the first byte behind the record. */
    public long endBytes() {
        return offsetBytes + lengthBytes();
    }

    /** As {@link #decode}, but gives the chunk as it is stored: a view of the given bytes. */
    public EncodedChunk decodeKeeping(ByteBuffer bytes, ChunkCodec codec) throws CorruptChunkException {
        ByteBuffer record = bytes.duplicate();
        decode(bytes, codec);
        PackEntry header = PackFormat.readRecordHeader(record, offsetBytes)
                .orElseThrow(() -> new IllegalStateException("a record that was decoded has a header"));
        return new EncodedChunk(
                chunk, header.encoding(), rawLengthBytes, record.slice(record.position(), storedLengthBytes));
    }

    /**
     * Restores the chunk from the record's bytes, checks it against its digest, and returns the codec's raw buffer that holds it.
     *
     * @param bytes a buffer on an array, with the record at its position
     */
    public byte[] decode(ByteBuffer bytes, ChunkCodec codec) throws CorruptChunkException {
        Optional<PackEntry> header = PackFormat.readRecordHeader(bytes, offsetBytes);
        if (header.isEmpty()) {
            throw corrupt("the record's header is damaged");
        }
        PackEntry entry = header.get();
        if (!equals(of(pack, entry))) {
            throw corrupt("the record is for chunk " + entry.chunk() + ", " + entry.storedLengthBytes()
                    + " bytes stored for " + entry.rawLengthBytes());
        }
        EncodedChunk stored = new EncodedChunk(
                chunk, entry.encoding(), rawLengthBytes, bytes.slice(bytes.position(), storedLengthBytes));
        byte[] raw = codec.rawBuffer(rawLengthBytes);
        String problem = codec.decode(stored, raw);
        if (!problem.isEmpty()) {
            throw corrupt(problem);
        }
        return raw;
    }

    private CorruptChunkException corrupt(String found) {
        return new CorruptChunkException(pack, offsetBytes, chunk, found, null);
    }
}
