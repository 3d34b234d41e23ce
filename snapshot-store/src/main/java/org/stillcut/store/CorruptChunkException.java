package org.stillcut.store;

import org.jspecify.annotations.Nullable;

/** The bytes of one chunk in a pack do not give the chunk's digest. */
public final class CorruptChunkException extends StoreCorruptException {

    private static final long serialVersionUID = 1L;

    private final transient PackId pack;
    private final long offsetBytes;
    private final transient ChunkId chunk;

    /** Names the chunk and the place of its record, counted in bytes from the start of the pack. */
    public CorruptChunkException(
            PackId pack, long offsetBytes, ChunkId chunk, String found, @Nullable Throwable cause) {
        super(
                Damage.CHECKSUM,
                "chunk " + chunk + " in pack " + pack + " at offset " + offsetBytes + ": " + found,
                cause);
        this.pack = pack;
        this.offsetBytes = offsetBytes;
        this.chunk = chunk;
    }

    /** The pack with the damaged record. */
    public PackId pack() {
        return pack;
    }

    /** Where the record starts in the pack, in bytes. */
    public long offsetBytes() {
        return offsetBytes;
    }

    /** The chunk that the record should hold. */
    public ChunkId chunk() {
        return chunk;
    }
}
