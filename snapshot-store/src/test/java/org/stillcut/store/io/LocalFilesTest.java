package org.stillcut.store.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFullException;
import org.stillcut.store.StoreInterruptedException;

class LocalFilesTest extends StoreFilesContract {

    @TempDir
    Path directory;

    @Override
    StoreFiles files() {
        return new LocalFiles();
    }

    @Override
    Path directory() {
        return directory;
    }

    @Test
    void onlyTheOwnerHasAccess() throws StoreException, IOException {
        write("file", "secret");
        files().createDirectory(directory.resolve("sub"));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("file"))))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("sub"))))
                .isEqualTo("rwx------");
    }

    @Test
    void writeWithoutRoomIsFull() throws StoreException, IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.isWritable(full));
        try (BlockFile file = new LocalBlockFile(full, FileChannel.open(full, StandardOpenOption.WRITE))) {
            assertThatExceptionOfType(StoreFullException.class)
                    .isThrownBy(() -> file.append(ByteBuffer.allocate(4096)));
        }
    }

    @Test
    void interruptedReaderDoesNotTakeTheFileFromOthers() throws StoreException {
        write("file", "shared");
        try (BlockFile file = files().open(directory.resolve("file"))) {
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(StoreInterruptedException.class)
                    .isThrownBy(() -> file.read(0, ByteBuffer.allocate(6)));
            assertThat(Thread.interrupted()).isTrue();
            ByteBuffer target = ByteBuffer.allocate(6);
            file.read(0, target);
            assertThat(target.array()).isEqualTo("shared".getBytes(StandardCharsets.UTF_8));
        }
    }
}
