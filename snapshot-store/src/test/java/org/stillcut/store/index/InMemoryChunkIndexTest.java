package org.stillcut.store.index;

class InMemoryChunkIndexTest extends ChunkIndexContract {

    private final InMemoryChunkIndex index = new InMemoryChunkIndex();

    @Override
    ChunkIndex open() {
        return index;
    }
}
