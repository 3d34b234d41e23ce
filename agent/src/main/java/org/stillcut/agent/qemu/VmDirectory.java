package org.stillcut.agent.qemu;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.Channels;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;

/** Prepares and removes the files of one VM. They hold the guest's memory, so only the agent's user may read them. */
final class VmDirectory {

    private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY_DIRECTORY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY_FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private final VmFiles files;

    VmDirectory(VmFiles files) {
        this.files = files;
    }

    /** Makes the directory, and an empty console in it; removes what an earlier VM left. */
    void prepare() throws IOException {
        Files.createDirectories(files.runDirectory(), OWNER_ONLY_DIRECTORY);
        removeSockets();
        Files.deleteIfExists(files.console());
        Files.createFile(files.console(), OWNER_ONLY_FILE);
    }

    /** Makes the RAM file anew: all zero, and no pages allocated. */
    void createRam(long memoryBytes) throws IOException {
        Files.deleteIfExists(files.ram());
        Files.createFile(files.ram(), OWNER_ONLY_FILE);
        try (RandomAccessFile ram = new RandomAccessFile(files.ram().toFile(), "rw")) {
            ram.setLength(memoryBytes);
        }
    }

    /** Checks that somebody made the RAM file that the VM is restored from; QEMU would quietly make an empty one. */
    void requireRam(long memoryBytes) throws IOException {
        long sizeBytes = Files.size(files.ram());
        if (sizeBytes != memoryBytes) {
            throw new IOException(files.ram() + " has " + sizeBytes + " bytes instead of " + memoryBytes);
        }
    }

    void removeSockets() throws IOException {
        for (Path socket : List.of(files.qmpSocket(), files.guestSocket(), files.stateSocket())) {
            Files.deleteIfExists(socket);
        }
    }

    /** The end of what the guest wrote to its serial line, at most {@code limitBytes}. */
    String consoleTail(int limitBytes) throws IOException {
        OutputTail tail = new OutputTail(limitBytes);
        try (SeekableByteChannel console = Files.newByteChannel(files.console(), StandardOpenOption.READ)) {
            console.position(Math.max(0, console.size() - limitBytes));
            tail.drain(Channels.newInputStream(console));
        }
        return tail.text();
    }
}
