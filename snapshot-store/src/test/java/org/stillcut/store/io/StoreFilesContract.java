package org.stillcut.store.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreIoException;
import org.stillcut.store.StoreMissingException;

/** What the store expects of every file system. */
abstract class StoreFilesContract {

    /** The file system under test. */
    abstract StoreFiles files();

    /** An empty directory on it. */
    abstract Path directory();

    @Test
    void fileHasWhatWasAppended() throws StoreException {
        Path file = directory().resolve("file");
        try (BlockFile created = files().create(file)) {
            created.append(bytes("stone "));
            created.append(bytes("by stone"));
            created.force();
            assertThat(read(created, 0, 14)).isEqualTo("stone by stone");
        }
        try (BlockFile opened = files().open(file)) {
            assertThat(opened.lengthBytes()).isEqualTo(14);
            assertThat(read(opened, 6, 2)).isEqualTo("by");
        }
    }

    @Test
    void uncachedFileHasWhatWasAppendedInPiecesOfAnyLength() throws StoreException {
        Path file = directory().resolve("file");
        byte[] content = new byte[3_000_001];
        new SplittableRandom(3).nextBytes(content);
        try (BlockFile created = files().createUncached(file)) {
            int at = 0;
            for (int length : new int[] {1 << 20, 8192, 100, 1 << 20, 4096, 1, content.length}) {
                int piece = Math.min(length, content.length - at);
                ByteBuffer direct = ByteBuffer.allocateDirect(piece).put(content, at, piece);
                created.append(direct.flip());
                at += piece;
                assertThat(created.lengthBytes()).isEqualTo(at);
            }
            created.force();
            ByteBuffer part = ByteBuffer.allocate(2_000_000);
            created.read(1_000_000, part);
            assertThat(part.array()).isEqualTo(Arrays.copyOfRange(content, 1_000_000, 3_000_000));
        }
        try (BlockFile opened = files().open(file)) {
            ByteBuffer all = ByteBuffer.allocate(content.length);
            opened.read(0, all);
            assertThat(all.array()).isEqualTo(content);
        }
    }

    @Test
    void readingPastTheEndIsDamage() throws StoreException {
        write("file", "short");
        try (BlockFile opened = files().open(directory().resolve("file"))) {
            assertThatExceptionOfType(StoreCorruptException.class)
                    .isThrownBy(() -> read(opened, 3, 10))
                    .matches(e -> e.damage() == StoreCorruptException.Damage.SHORT);
        }
    }

    @Test
    void createRefusesTakenName() throws StoreException {
        write("file", "first");
        assertThatExceptionOfType(StoreIoException.class)
                .isThrownBy(() -> files().create(directory().resolve("file")).close());
    }

    @Test
    void missingFileAndDirectoryAreMissing() {
        Path missing = directory().resolve("missing");
        assertThatExceptionOfType(StoreMissingException.class)
                .isThrownBy(() -> files().open(missing).close());
        assertThatExceptionOfType(StoreMissingException.class).isThrownBy(() -> files().list(missing));
    }

    @Test
    void renameReplaces() throws StoreException {
        write("old", "old");
        write("new", "new");
        files().rename(directory().resolve("new"), directory().resolve("old"));
        files().syncDirectory(directory());
        assertThat(content("old")).isEqualTo("new");
        assertThat(files().list(directory())).containsExactly("old");
    }

    @Test
    void renameIfAbsentLeavesTakenNameAlone() throws StoreException {
        write("one", "1");
        write("two", "2");
        assertThat(files().renameIfAbsent(
                                directory().resolve("one"), directory().resolve("name")))
                .isTrue();
        assertThat(files().renameIfAbsent(
                                directory().resolve("two"), directory().resolve("name")))
                .isFalse();
        assertThat(content("name")).isEqualTo("1");
        assertThat(files().list(directory())).containsExactly("name", "two");
    }

    @Test
    void deleteAndCreateDirectoryMayBeRepeated() throws StoreException {
        write("file", "x");
        files().delete(directory().resolve("file"));
        files().delete(directory().resolve("file"));
        files().createDirectory(directory().resolve("sub"));
        files().createDirectory(directory().resolve("sub"));
        assertThat(files().list(directory())).containsExactly("sub");
    }

    @Test
    void atomicFileLeavesNoTemporaryName() throws StoreException {
        new AtomicFile(files(), directory(), "name", "x").write(new byte[] {1});
        new AtomicFile(files(), directory(), "name", "x").write(new byte[] {2});
        assertThat(new AtomicFile(files(), directory(), "name", "x").writeIfAbsent(new byte[] {3}))
                .isFalse();
        assertThat(new AtomicFile(files(), directory(), "other", "x").writeIfAbsent(new byte[] {4}))
                .isTrue();
        assertThat(files().list(directory())).containsExactly("name", "other");
        assertThat(content("name")).isEqualTo("\u0002");
    }

    @Test
    void lockedFileIsRefusedUntilItsLockIsGivenBack() throws StoreException {
        Path file = directory().resolve("lock");
        try (StoreLock first = files().tryLock(file).orElseThrow()) {
            assertThat(first).isNotNull();
            assertThat(files().tryLock(file)).isEmpty();
        }
        files().tryLock(file).orElseThrow().close();
        assertThat(files().list(directory())).containsExactly("lock");
    }

    @Test
    void newFileIsLockedFromItsFirstMoment() throws StoreException {
        Path file = directory().resolve("lock");
        try (StoreLock first = files().createLocked(file, directory().resolve("tmp-x"))) {
            assertThat(first).isNotNull();
            assertThat(files().tryLock(file)).isEmpty();
            assertThat(files().list(directory())).containsExactly("lock");
        }
        assertThat(files().tryLock(file)).isPresent();
    }

    final void write(String name, String content) throws StoreException {
        try (BlockFile created = files().create(directory().resolve(name))) {
            created.append(bytes(content));
        }
    }

    final String content(String name) throws StoreException {
        try (BlockFile opened = files().open(directory().resolve(name))) {
            return read(opened, 0, (int) opened.lengthBytes());
        }
    }

    private static String read(BlockFile file, long offset, int length) throws StoreException {
        ByteBuffer target = ByteBuffer.allocate(length);
        file.read(offset, target);
        return new String(target.array(), StandardCharsets.UTF_8);
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }
}
