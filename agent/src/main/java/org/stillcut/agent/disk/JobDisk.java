package org.stillcut.agent.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.stillcut.agent.linux.CommandException;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.CommandRunner;

/**
 * Makes the writable disk of a new VM: an ext4 file system whose directory {@code upper} the guest lays over its
 * read-only root.
 */
public final class JobDisk {

    /** A cluster of the overlays; a disk of whole clusters keeps all changes aligned to it. */
    public static final int CLUSTER_BYTES = 64 << 10;

    private static final int BLOCK_BYTES = 4096;
    private static final Duration DEADLINE = Duration.ofMinutes(10);

    private JobDisk() {}

    /**
     * Makes the disk as a sparse file that only its owner can read. It needs neither a mount nor a loop device.
     *
     * @param rawFile replaced if it exists
     * @param sizeBytes a multiple of {@link #CLUSTER_BYTES}
     * @param contentDirectory becomes the root directory of the file system, with owners and modes as they are: what the
     *     guest is to see as {@code /a} belongs to {@code upper/a} in it. {@code upper} and {@code work} are made in it
     *     when they are missing
     * @throws DiskException if that failed, for instance because the content does not fit; the file is then removed
     */
    public static void create(Path rawFile, long sizeBytes, Path contentDirectory, CommandRunner commands)
            throws DiskException, InterruptedException {
        if (sizeBytes < CLUSTER_BYTES || sizeBytes % CLUSTER_BYTES != 0) {
            throw new IllegalArgumentException("a disk must have whole clusters of 64 KiB, not " + sizeBytes + " B");
        }
        boolean done = false;
        try {
            prepare(contentDirectory.resolve("upper"));
            prepare(contentDirectory.resolve("work"));
            Files.deleteIfExists(rawFile);
            Files.createFile(
                    rawFile, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            commands.run(mke2fs(rawFile, sizeBytes, contentDirectory), DEADLINE);
            done = true;
        } catch (CommandException e) {
            throw new DiskException(rawFile.toString(), "the file system was not made: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new DiskException(rawFile.toString(), "the disk was not made: " + e.getMessage(), e);
        } finally {
            if (!done) {
                remove(rawFile);
            }
        }
    }

    static CommandLine mke2fs(Path rawFile, long sizeBytes, Path contentDirectory) {
        return CommandLine.of(
                "mke2fs",
                "-q",
                "-F",
                "-t",
                "ext4",
                "-b",
                Integer.toString(BLOCK_BYTES),
                "-m",
                "0",
                // A journal would double what each checkpoint stores; a disk goes back to a checkpoint, not through
                // fsck.
                "-O",
                "^has_journal",
                // The tables of a new sparse file are zero. Otherwise the guest would write them all in the background.
                "-E",
                "assume_storage_prezeroed=1,root_owner=0:0",
                "-d",
                contentDirectory.toString(),
                rawFile.toString(),
                sizeBytes / 1024 + "k");
    }

    private static void prepare(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectory(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        }
    }

    private static void remove(Path rawFile) throws DiskException {
        try {
            Files.deleteIfExists(rawFile);
        } catch (IOException e) {
            throw new DiskException(rawFile.toString(), "an unfinished disk was not removed", e);
        }
    }
}
