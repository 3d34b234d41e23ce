package org.stillcut.store.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stillcut.store.ChunkId;
import org.stillcut.store.CorruptChunkException;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.io.SimulatedFiles;

class PackFileTest {

    private static final PackId PACK = new PackId(0xAB00_0000_0000_0001L, 7);

    private final SimulatedFiles files = new SimulatedFiles();
    private final PackDirectory directory = new PackDirectory(files, Path.of("/packs"));
    private final ChunkCodec codec = new ChunkCodec(1);
    private final List<byte[]> chunks = new ArrayList<>();
    private List<PackEntry> entries = List.of();

    @BeforeEach
    void writePack() throws StoreException {
        directory.create();
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 5; i++) {
            byte[] chunk = new byte[300 + i];
            if (i % 2 == 0) {
                random.nextBytes(chunk);
            }
            chunk[i] = 1;
            chunks.add(chunk);
        }
        try (PackWriter writer = PackWriter.create(directory, PACK)) {
            for (byte[] chunk : chunks) {
                ChunkId id = codec.identify(chunk, 0, chunk.length);
                writer.append(codec.encode(id, chunk, 0, chunk.length));
            }
            entries = writer.seal();
        }
    }

    @AfterEach
    void close() {
        codec.close();
    }

    @Test
    void footerTellsEveryChunk() throws StoreException {
        assertThat(PackReader.readFooter(directory, PACK)).isEqualTo(entries).hasSize(5);
        assertThat(directory.listDurable(Set.of())).containsExactly(PACK);
        assertThat(directory.path(PACK)).hasToString("/packs/ab/ab000000000000010000000000000007.pack");
    }

    @Test
    void recordsGiveTheChunksBack() throws StoreException {
        byte[] content = content();
        for (int i = 0; i < chunks.size(); i++) {
            assertThat(decode(entries.get(i), content)).startsWith(chunks.get(i));
        }
    }

    @Test
    void scanFindsAllChunksWithoutFooter() throws StoreException {
        assertThat(PackReader.scan(directory, PACK, codec)).isEqualTo(entries);
        files.overwrite(
                directory.path(PACK),
                Arrays.copyOf(content(), (int) entries.get(3).endBytes() + 20));
        assertThat(PackReader.scan(directory, PACK, codec)).isEqualTo(entries.subList(0, 4));
    }

    @Test
    void scanStopsAtDamagedContent() throws StoreException {
        files.flipBit(directory.path(PACK), entries.get(2).endBytes() - 1);
        assertThat(PackReader.scan(directory, PACK, codec)).isEqualTo(entries.subList(0, 2));
    }

    @Test
    void everyTruncationIsRefused() throws StoreException {
        byte[] whole = content();
        for (int length = 0; length < whole.length; length++) {
            files.overwrite(directory.path(PACK), Arrays.copyOf(whole, length));
            assertThatExceptionOfType(StoreCorruptException.class)
                    .as("%d bytes", length)
                    .isThrownBy(() -> PackReader.readFooter(directory, PACK));
        }
    }

    @Test
    void everyFlippedBitIsFoundByFooterOrRecord() throws StoreException {
        byte[] whole = content();
        for (int i = 0; i < whole.length; i++) {
            byte[] damaged = whole.clone();
            damaged[i] ^= 4;
            files.overwrite(directory.path(PACK), damaged);
            assertThat(isSound(damaged)).as("byte %d", i).isEqualTo(i >= 12 && i < 16);
        }
    }

    @Test
    void newerVersionIsTold() throws StoreException {
        byte[] newer = content();
        ByteBuffer.wrap(newer).putInt(8, 2);
        files.overwrite(directory.path(PACK), newer);
        assertThatExceptionOfType(StoreFormatException.class)
                .isThrownBy(() -> PackReader.readFooter(directory, PACK))
                .matches(e -> e.found() == 2);
        assertThatExceptionOfType(StoreFormatException.class).isThrownBy(() -> PackReader.scan(directory, PACK, codec));
    }

    @Test
    void oversizedEntryCountIsRefusedBeforeAllocation() throws StoreException {
        for (int count : new int[] {PackFormat.ENTRY_LIMIT + 1, Integer.MAX_VALUE, -1}) {
            byte[] oversized = content();
            ByteBuffer.wrap(oversized).putInt(oversized.length - PackFormat.TRAILER_BYTES + 12, count);
            files.overwrite(directory.path(PACK), oversized);
            assertThatExceptionOfType(StoreCorruptException.class)
                    .isThrownBy(() -> PackReader.readFooter(directory, PACK))
                    .matches(e -> e.damage() == Damage.OVERSIZED);
        }
    }

    @Test
    void packUnderAnotherNameIsRefused() throws StoreException {
        PackId other = new PackId(0xAB00_0000_0000_0001L, 8);
        files.rename(directory.path(PACK), directory.path(other));
        assertThatExceptionOfType(StoreCorruptException.class)
                .isThrownBy(() -> PackReader.readFooter(directory, other))
                .matches(e -> e.damage() == Damage.MALFORMED);
    }

    @Test
    void unsealedPackIsInvisibleAndRemoved() throws StoreException {
        PackId other = new PackId(1, 1);
        try (PackWriter writer = PackWriter.create(directory, other)) {
            byte[] chunk = chunks.getFirst();
            PackEntry entry =
                    writer.append(codec.encode(codec.identify(chunk, 0, chunk.length), chunk, 0, chunk.length));
            assertThat(directory.listDurable(Set.of())).containsExactly(PACK);
            PackRecord record = PackRecord.of(other, entry);
            ByteBuffer bytes = ByteBuffer.allocate(record.lengthBytes());
            assertThat(writer.read(entry.offsetBytes(), bytes)).isTrue();
            assertThat(record.decode(bytes.flip(), codec)).startsWith(chunk);
        }
        assertThat(files.list(Path.of("/packs"))).noneMatch(name -> name.startsWith("tmp-"));
    }

    private boolean isSound(byte[] content) throws StoreException {
        try {
            for (PackEntry entry : PackReader.readFooter(directory, PACK)) {
                decode(entry, content);
            }
            return true;
        } catch (StoreCorruptException | StoreFormatException e) {
            return false;
        }
    }

    private byte[] decode(PackEntry entry, byte[] content) throws CorruptChunkException {
        int start = (int) entry.offsetBytes();
        return PackRecord.of(PACK, entry)
                .decode(ByteBuffer.wrap(content, start, (int) entry.endBytes() - start), codec);
    }

    private byte[] content() throws StoreException {
        return files.content(directory.path(PACK));
    }
}
