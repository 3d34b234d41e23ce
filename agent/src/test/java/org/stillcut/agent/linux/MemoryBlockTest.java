package org.stillcut.agent.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryBlockTest {
    @TempDir
    Path directory;

    private static byte[] bytes(MemoryBlock block, int offset, int length) {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        block.read(offset, buffer);
        return buffer.array();
    }

    @Test
    void partsOfFilesAreCopiedToWhereTheyShall() throws Exception {
        Path file = directory.resolve("file");
        byte[] content = new byte[8192];
        Arrays.fill(content, 4096, 8192, (byte) 7);
        Files.write(file, content);
        try (MappedFile mapped = new MappedFile(file, 8192);
                MemoryBlock block = new MemoryBlock(16384)) {
            mapped.copyTo(4000, block, 8000, 100);
            assertThat(bytes(block, 8000, 96)).containsOnly(0);
            assertThat(bytes(block, 8096, 4)).containsOnly(7);
            assertThat(bytes(block, 8100, 100)).containsOnly(0);
        }
    }

    @Test
    void mappedFileShowsWhatIsWrittenLater() throws Exception {
        Path file = Files.write(directory.resolve("file"), new byte[4096]);
        try (MappedFile mapped = new MappedFile(file, 4096)) {
            Files.write(file, new byte[] {9}, java.nio.file.StandardOpenOption.WRITE);
            ByteBuffer first = ByteBuffer.allocate(1);
            mapped.read(0, first);
            assertThat(first.get(0)).isEqualTo((byte) 9);
        }
    }

    @Test
    void shortAndMissingFilesAreOrdinaryFailures() throws Exception {
        Path file = Files.write(directory.resolve("file"), new byte[100]);
        assertThatThrownBy(() -> new MappedFile(file, 4096))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("has 100 bytes instead of 4096");
        assertThatThrownBy(() -> new MappedFile(directory.resolve("none"), 4096))
                .isInstanceOf(NoSuchFileException.class);
    }
}
