package org.stillcut.store.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.stillcut.store.ByteRange;
import org.stillcut.store.ChunkId;
import org.stillcut.store.StoreCorruptException;

class SplitChunkTest {

    private static final int CHUNK = 64 << 10;
    private static final ChunkId BASE = new ChunkId(1, 2, 3, 4);

    private static ChunkId id(int number) {
        return new ChunkId(number, 0, 0, 9);
    }

    @Test
    void pagesComeBackByTheirNumber() throws StoreCorruptException {
        SplitChunk split = new SplitChunk(BASE, 0b1000_0000_0010_0001, List.of(id(0), id(5), id(15)));
        SplitChunk read = SplitChunk.decode(split.encode(), CHUNK, id(99));
        assertThat(read).isEqualTo(split);
        assertThat(read.page(0)).isEqualTo(id(0));
        assertThat(read.page(5)).isEqualTo(id(5));
        assertThat(read.page(15)).isEqualTo(id(15));
        assertThat(read.replaces(5)).isTrue();
        assertThat(read.replaces(6)).isFalse();
    }

    @Test
    void foreignShortOversizedAndContradictingBytesAreRefused() {
        byte[] sound = new SplitChunk(BASE, 0b11, List.of(id(1), id(2))).encode();
        List<byte[]> wrong = new ArrayList<>();
        wrong.add(new byte[0]);
        wrong.add(new byte[sound.length]);
        wrong.add(Arrays.copyOf(sound, sound.length - 1));
        wrong.add(Arrays.copyOf(sound, sound.length + 32));
        wrong.add(Arrays.copyOf(sound, 48 + 32 * 9));
        byte[] beyondTheChunk = sound.clone();
        beyondTheChunk[15] = 1;
        beyondTheChunk[13] = 1;
        wrong.add(beyondTheChunk);
        for (byte[] bytes : wrong) {
            assertThatExceptionOfType(StoreCorruptException.class)
                    .isThrownBy(() -> SplitChunk.decode(bytes, CHUNK, id(99)));
        }
        assertThatExceptionOfType(StoreCorruptException.class).isThrownBy(() -> SplitChunk.decode(sound, 4096, id(99)));
    }

    @Test
    void fewPagesAreToldFromManyAndTheLastChunkIsWhole() {
        List<ByteRange> ranges = List.of(
                new ByteRange(5000, 10),
                new ByteRange(CHUNK - 1, 2),
                new ByteRange(3L * CHUNK, 9 * 4096),
                new ByteRange(5L * CHUNK, 2L * CHUNK + 1),
                new ByteRange(9L * CHUNK, 1));
        DirtyChunks dirty = DirtyChunks.divide(ranges, true, CHUNK, 9L * CHUNK + 100);
        assertThat(dirty.few())
                .containsExactly(
                        new DirtyChunks.FewPages(0, 0b1000_0000_0000_0010),
                        new DirtyChunks.FewPages(CHUNK, 1),
                        new DirtyChunks.FewPages(7L * CHUNK, 1));
        assertThat(dirty.runs())
                .containsExactly(
                        new ByteRange(3L * CHUNK, CHUNK),
                        new ByteRange(5L * CHUNK, 2L * CHUNK),
                        new ByteRange(9L * CHUNK, CHUNK));
    }

    @Test
    void chunkOfWhichASourceHasPartsOfPagesIsWhole() {
        List<ByteRange> ranges = List.of(
                new ByteRange(4096, 8192),
                new ByteRange(CHUNK, 4096),
                new ByteRange(CHUNK + 8192, 100),
                new ByteRange(3L * CHUNK - 4096, 8192),
                new ByteRange(5L * CHUNK + 1, 4095));
        DirtyChunks dirty = DirtyChunks.divide(ranges, false, CHUNK, 9L * CHUNK);
        assertThat(dirty.few())
                .containsExactly(
                        new DirtyChunks.FewPages(0, 0b110),
                        new DirtyChunks.FewPages(2L * CHUNK, 1 << 15),
                        new DirtyChunks.FewPages(3L * CHUNK, 1));
        assertThat(dirty.runs()).containsExactly(new ByteRange(CHUNK, CHUNK), new ByteRange(5L * CHUNK, CHUNK));
    }
}
