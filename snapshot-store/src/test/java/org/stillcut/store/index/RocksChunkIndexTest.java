package org.stillcut.store.index;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreException;

class RocksChunkIndexTest extends ChunkIndexContract {

    private static final long CACHE_BYTES = 4 << 20;

    @TempDir
    Path directory;

    @Override
    ChunkIndex open() throws StoreException {
        return RocksChunkIndex.open(directory.resolve("index"), "a", CACHE_BYTES);
    }

    @Test
    void secondOpenIsRefused() {
        assertThatExceptionOfType(StoreConflictException.class).isThrownBy(() -> open().close());
    }

    @Test
    void indexOfAnotherRepositoryIsEmptied() throws StoreException {
        Path other = directory.resolve("other");
        try (ChunkIndex index = RocksChunkIndex.open(other, "a", CACHE_BYTES)) {
            index.absorb(PACK, entries(2));
        }
        try (ChunkIndex index = RocksChunkIndex.open(other, "b", CACHE_BYTES)) {
            assertThat(index.absorbedPacks()).isEmpty();
            assertThat(index.find(id(0))).isEmpty();
        }
    }

    @Test
    void damagedIndexIsRebuilt() throws StoreException, IOException {
        Path damaged = directory.resolve("damaged");
        try (ChunkIndex index = RocksChunkIndex.open(damaged, "a", CACHE_BYTES)) {
            index.absorb(PACK, entries(2));
        }
        try (DirectoryStream<Path> manifests = Files.newDirectoryStream(damaged, "MANIFEST-*")) {
            for (Path manifest : manifests) {
                Files.writeString(manifest, "no manifest at all, long enough to be read as one");
            }
        }
        try (ChunkIndex index = RocksChunkIndex.open(damaged, "a", CACHE_BYTES)) {
            assertThat(index.absorbedPacks()).isEmpty();
            index.absorb(PACK, entries(2));
            assertThat(index.find(id(1))).isPresent();
        }
    }
}
