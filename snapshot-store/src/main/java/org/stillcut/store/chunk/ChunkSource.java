package org.stillcut.store.chunk;

import java.util.List;
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

    /** The lengths of chunks without reading them, in the order of the list; -1 for a zero marker, and for one that no pack has. */
    int[] lengths(List<ChunkId> chunks) throws StoreException;
}
