package org.stillcut.agent.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DataRangesTest {

    private static final long LENGTH_BYTES = 64L << 20;

    /** On a tmpfs, as RAM is, and on a disk. Each hole is larger than any file system's block, and each datum on its border. */
    @ParameterizedTest
    @ValueSource(strings = {"/dev/shm", "target"})
    void onlyWhatWasWrittenHasData(String where) throws Exception {
        Path file = Files.createTempFile(Path.of(where), "stillcut-ranges-", "");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(LENGTH_BYTES);
            assertThat(DataRanges.of(file)).isEmpty();
            write(sparse, 0, 4096);
            write(sparse, 8 << 20, 3 * 4096);
            write(sparse, LENGTH_BYTES - 4096, 4096);
            sparse.getFD().sync();
            assertThat(DataRanges.of(file))
                    .isEqualTo(List.of(
                            new DataRanges.Range(0, 4096),
                            new DataRanges.Range(8 << 20, 3 * 4096),
                            new DataRanges.Range(LENGTH_BYTES - 4096, 4096)));
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void emptyFileHasNone(@TempDir Path directory) throws Exception {
        assertThat(DataRanges.of(Files.createFile(directory.resolve("empty")))).isEmpty();
    }

    @Test
    void nameOfFileMayHaveAnyCharacters(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("ü b\n"), "x");
        assertThat(DataRanges.of(file)).hasSize(1);
    }

    @Test
    void missingFileIsSaidWithTheErrno(@TempDir Path directory) {
        assertThatThrownBy(() -> DataRanges.of(directory.resolve("none")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("none")
                .hasMessageContaining("errno 2");
    }

    private static void write(RandomAccessFile file, long offset, int length) throws IOException {
        file.seek(offset);
        byte[] data = new byte[length];
        java.util.Arrays.fill(data, (byte) 1);
        file.write(data);
    }
}
