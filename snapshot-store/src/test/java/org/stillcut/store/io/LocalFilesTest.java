package org.stillcut.store.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;
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
    void lockOfAnotherProcessHoldsAsLongAsThatLives() throws StoreException, IOException, InterruptedException {
        Path file = directory.resolve("other.lock");
        Process holder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        LockHolder.class.getName(),
                        file.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader lines = holder.inputReader()) {
            assertThat(lines.readLine()).isEqualTo("locked");
            assertThat(files().tryLock(file)).isEmpty();
            assertThat(files().tryLock(file)).as("asking does not take it away").isEmpty();
        } finally {
            assertThat(holder.destroyForcibly().waitFor(60, TimeUnit.SECONDS)).isTrue();
        }
        try (StoreLock mine = files().tryLock(file).orElseThrow()) {
            assertThat(mine).isNotNull();
        }
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
