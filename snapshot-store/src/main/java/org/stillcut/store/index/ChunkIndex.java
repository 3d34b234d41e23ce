package org.stillcut.store.index;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.stillcut.store.ChunkId;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreException;
import org.stillcut.store.pack.PackEntry;
import org.stillcut.store.pack.PackRecord;

/**
 * Where each chunk is: a cache of what the packs say about themselves. Thread-safe.
 *
 * <p>It may be behind, or lost, without harm: {@link IndexRefresh} brings it up to date. It must never be ahead: an entry may exist only for a
 * pack that is durable, since a writer refers to a chunk that the index knows instead of storing it again.
 */
public interface ChunkIndex extends AutoCloseable {

    /** The place of the chunk, when it is known. */
    Optional<PackRecord> find(ChunkId chunk) throws StoreException;

    /** The places of many chunks, in the order of the list: faster than one by one. */
    List<Optional<PackRecord>> findAll(List<ChunkId> chunks) throws StoreException;

    /** The packs whose chunks are in the index. */
    Set<PackId> absorbedPacks() throws StoreException;

    /** Adds all chunks of a durable pack and remembers that it did, as one change: after a crash both are there, or neither. May be repeated. */
    void absorb(PackId pack, List<PackEntry> entries) throws StoreException;

    /** Reads all that is stored of the index and tells what is damaged; empty when nothing is. */
    List<String> check() throws StoreException;

    /** Forgets everything. */
    void clear() throws StoreException;

    /** Writes out what is in memory and releases the index. The last call. */
    @Override
    void close() throws StoreException;
}
