package org.stillcut.store.chunk;

import org.stillcut.store.ChunkId;
import org.stillcut.store.StoreException;
import org.stillcut.store.codec.ChunkCodec;

/** Where chunks are read from, checked against their digests. Thread-safe. */
public interface ChunkSource {

    /**
     * The content of a chunk. Fails with {@code MissingChunkException} when no pack has it, and {@code CorruptChunkException} when its bytes are
     * wrong.
     */
    byte[] read(ChunkId chunk, ChunkCodec codec) throws StoreException;
}
