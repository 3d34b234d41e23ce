package org.stillcut.agent.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.DataRanges;
import org.stillcut.agent.linux.HostCommandRunner;
import org.stillcut.agent.qemu.LabVm;
import org.stillcut.store.image.ImageInput;

class RamCopyTest {

    private static final int LENGTH = 8 << 20;

    private Path directory;
    private Path ram;

    @BeforeEach
    void emptyRam() throws Exception {
        directory = LabVm.directory();
        ram = directory.resolve("ram");
        try (RandomAccessFile file = new RandomAccessFile(ram.toFile(), "rw")) {
            file.setLength(LENGTH);
        }
    }

    @AfterEach
    void delete() throws Exception {
        LabVm.delete(directory);
    }

    private RamCopy copy() throws IOException {
        return new RamCopy(ram, directory.resolve("copy"), LENGTH);
    }

    private void write(int offset, byte[] data) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(ram.toFile(), "rw")) {
            file.seek(offset);
            file.write(data);
        }
    }

    private static byte[] noise(int length, long seed) {
        byte[] data = new byte[length];
        new Random(seed).nextBytes(data);
        return data;
    }

    /** What the store would get: the source where it is said to be present, zeros elsewhere. */
    private static byte[] content(RamCopy copy) throws IOException {
        ImageInput.Sparse image = (ImageInput.Sparse) copy.image();
        byte[] all = new byte[Math.toIntExact(image.source().lengthBytes())];
        for (var range : image.present()) {
            image.source()
                    .read(
                            range.offsetBytes(),
                            ByteBuffer.wrap(
                                    all, Math.toIntExact(range.offsetBytes()), Math.toIntExact(range.lengthBytes())));
        }
        return all;
    }

    @Test
    void copyEqualsTheRamAndItsHolesStayHoles() throws Exception {
        write(4096, noise(10_000, 1));
        write(LENGTH - 4096, noise(4096, 2));
        try (RamCopy copy = copy()) {
            copy.take();
            assertThat(content(copy)).isEqualTo(Files.readAllBytes(ram));
            assertThat(DataRanges.of(directory.resolve("copy"))).isEqualTo(DataRanges.of(ram));
        }
    }

    @Test
    void ramThatWasNeverUsedCostsNothing() throws Exception {
        try (RamCopy copy = copy()) {
            copy.take();
            assertThat(((ImageInput.Sparse) copy.image()).present()).isEmpty();
            assertThat(DataRanges.of(directory.resolve("copy"))).isEmpty();
        }
    }

    @Test
    void copyDoesNotChangeWithTheRamUntilItIsTakenAgain() throws Exception {
        write(0, noise(LENGTH / 2, 3));
        try (RamCopy copy = copy()) {
            copy.take();
            byte[] before = Files.readAllBytes(ram);
            write(100, noise(1000, 4));
            write(LENGTH - 8192, noise(100, 5));
            assertThat(content(copy)).isEqualTo(before);
            copy.take();
            assertThat(content(copy)).isEqualTo(Files.readAllBytes(ram)).isNotEqualTo(before);
        }
    }

    @Test
    void pageGivenBackBetweenTwoTakesIsZero() throws Exception {
        write(0, noise(1 << 20, 6));
        try (RamCopy copy = copy()) {
            copy.take();
            new HostCommandRunner()
                    .run(
                            CommandLine.of("fallocate", "-p", "-o", "65536", "-l", "65536", ram.toString()),
                            Duration.ofSeconds(10));
            copy.take();
            assertThat(content(copy)).isEqualTo(Files.readAllBytes(ram));
        }
    }

    @Test
    void onlyTheOwnerCanReadTheCopy() throws Exception {
        try (RamCopy copy = copy()) {
            copy.take();
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("copy"))))
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void missingRamIsAnOrdinaryFailure() {
        assertThatThrownBy(() -> new RamCopy(directory.resolve("none"), directory.resolve("copy"), LENGTH))
                .isInstanceOf(NoSuchFileException.class);
    }

    @Test
    void tmpfsWithoutRoomForTheCopyIsAnOrdinaryFailure(@TempDir Path small) throws Exception {
        HostCommandRunner commands = new HostCommandRunner();
        assumeThat(System.getProperty("user.name")).as("may mount").isEqualTo("root");
        write(0, noise(LENGTH, 7));
        commands.run(
                CommandLine.of("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small.toString()),
                Duration.ofSeconds(10));
        try (RamCopy copy = new RamCopy(ram, small.resolve("copy"), LENGTH)) {
            assertThatThrownBy(copy::take).isInstanceOf(IOException.class).hasMessageContaining("no room");
        } finally {
            commands.run(CommandLine.of("umount", small.toString()), Duration.ofSeconds(10));
        }
    }
}
