package org.stillcut.store;

/** A chunk is in no pack of the repository, even after the index was brought up to date: whatever needs it cannot be read. */
public final class MissingChunkException extends StoreMissingException {

    private static final long serialVersionUID = 1L;

    private final transient ChunkId chunk;

    /** Names the chunk that no pack holds. */
    public MissingChunkException(ChunkId chunk) {
        super("chunk " + chunk + " is in no pack of the repository", null);
        this.chunk = chunk;
    }

    /** The chunk that no pack holds. */
    public ChunkId chunk() {
        return chunk;
    }
}
