package org.stillcut.store.index;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.stillcut.store.ChunkId;
import org.stillcut.store.PackId;
import org.stillcut.store.pack.PackEntry;
import org.stillcut.store.pack.PackRecord;

/** A chunk index for tests; closing it keeps its content, as a local disk would. */
public final class InMemoryChunkIndex implements ChunkIndex {

    private final Map<ChunkId, PackRecord> chunks = new HashMap<>();
    private final Set<PackId> packs = new HashSet<>();

    @Override
    public synchronized Optional<PackRecord> find(ChunkId chunk) {
        return Optional.ofNullable(chunks.get(chunk));
    }

    @Override
    public synchronized List<Optional<PackRecord>> findAll(List<ChunkId> wanted) {
        return wanted.stream().map(this::find).toList();
    }

    @Override
    public synchronized Set<PackId> absorbedPacks() {
        return new HashSet<>(packs);
    }

    @Override
    public synchronized void absorb(PackId pack, List<PackEntry> entries) {
        entries.forEach(entry -> chunks.put(entry.chunk(), PackRecord.of(pack, entry)));
        packs.add(pack);
    }

    @Override
    public List<String> check() {
        return List.of();
    }

    @Override
    public synchronized void clear() {
        chunks.clear();
        packs.clear();
    }

    /** Another index with the same content. */
    public synchronized InMemoryChunkIndex copy() {
        InMemoryChunkIndex copy = new InMemoryChunkIndex();
        copy.chunks.putAll(chunks);
        copy.packs.addAll(packs);
        return copy;
    }

    @Override
    public void close() {}
}
