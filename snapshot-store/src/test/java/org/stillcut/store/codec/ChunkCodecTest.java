package org.stillcut.store.codec;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.stillcut.store.ChunkId;

class ChunkCodecTest {

    private final ChunkCodec codec = new ChunkCodec(1);
    private final byte[] target = new byte[1 << 16];

    @AfterEach
    void close() {
        codec.close();
    }

    @Test
    void identityIsSha256() {
        // FIPS 180-2, example of the one-block message "abc".
        assertThat(codec.identify(new byte[] {'x', 'a', 'b', 'c'}, 1, 3))
                .hasToString("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    @Test
    void compressesOnlyWhatShrinks() {
        byte[] pattern = new byte[4096];
        pattern[7] = 1;
        assertThat(roundTrip(pattern)).isEqualTo(Encoding.ZSTD);
        byte[] noise = new byte[4096];
        new SplittableRandom(1).nextBytes(noise);
        assertThat(roundTrip(noise)).isEqualTo(Encoding.RAW);
    }

    @Test
    void tellsWhatIsWrongWithStoredBytes() {
        byte[] pattern = new byte[4096];
        pattern[7] = 1;
        ChunkId id = codec.identify(pattern, 0, pattern.length);
        EncodedChunk encoded = copy(codec.encode(id, pattern, 0, pattern.length));
        for (int i = 0; i < encoded.stored().capacity(); i++) {
            byte[] damaged = encoded.stored().array().clone();
            damaged[i] ^= 0x11;
            EncodedChunk chunk = new EncodedChunk(id, encoded.encoding(), 4096, ByteBuffer.wrap(damaged));
            // A few bits of a zstd frame do not matter to its content; then the chunk is sound all the same.
            if (codec.decode(chunk, target).isEmpty()) {
                assertThat(codec.identify(target, 0, 4096)).isEqualTo(id);
            }
        }
        EncodedChunk tooLong = new EncodedChunk(id, Encoding.ZSTD, 4095, encoded.stored());
        assertThat(codec.decode(tooLong, target)).contains("does not decompress");
        EncodedChunk tooShort = new EncodedChunk(id, Encoding.RAW, 4096, encoded.stored());
        assertThat(codec.decode(tooShort, target)).contains("bytes stored for 4096");
    }

    @Test
    void findsTheOneByteThatIsNotZero() {
        byte[] data = new byte[300_000];
        assertThat(ChunkCodec.isZero(data, 0, data.length)).isTrue();
        data[299_999] = 1;
        assertThat(ChunkCodec.isZero(data, 0, data.length)).isFalse();
        assertThat(ChunkCodec.isZero(data, 0, data.length - 1)).isTrue();
    }

    private Encoding roundTrip(byte[] data) {
        ChunkId id = codec.identify(data, 0, data.length);
        EncodedChunk encoded = copy(codec.encode(id, data, 0, data.length));
        assertThat(codec.decode(encoded, target)).isEmpty();
        assertThat(target).startsWith(data);
        return encoded.encoding();
    }

    private static EncodedChunk copy(EncodedChunk chunk) {
        byte[] stored = new byte[chunk.stored().remaining()];
        chunk.stored().duplicate().get(stored);
        return new EncodedChunk(chunk.id(), chunk.encoding(), chunk.rawLengthBytes(), ByteBuffer.wrap(stored));
    }
}
