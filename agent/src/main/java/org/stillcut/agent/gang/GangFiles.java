package org.stillcut.agent.gang;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.VmId;

/**
 * Where the files of an incarnation are on this node: disks and sockets below the agent's state directory, RAM on a tmpfs. Only
 * root can read them, since RAM holds secrets.
 */
final class GangFiles {
    private final Path directory;
    private final Path ramDirectory;

    GangFiles(Path stateDirectory, Path ramDirectory, Incarnation incarnation) {
        String name = incarnation.job() + "." + incarnation.epoch();
        this.directory = gangs(stateDirectory).resolve(name);
        this.ramDirectory = gangs(ramDirectory).resolve(name);
    }

    /** All gangs' part of a directory; what else is in the directory may be somebody else's. */
    static Path gangs(Path directory) {
        return directory.resolve("gangs");
    }

    /** What VMs boot that came from the repository. */
    static Path bootFiles(Path stateDirectory) {
        return stateDirectory.resolve("boot");
    }

    /** Makes the directories, empty ones. */
    void create(Iterable<VmId> vms) throws IOException {
        delete();
        createPrivate(directory);
        createPrivate(ramDirectory);
        for (VmId vm : vms) {
            createPrivate(vmDirectory(vm));
        }
    }

    void delete() throws IOException {
        deleteTree(directory);
        deleteTree(ramDirectory);
    }

    Path vmDirectory(VmId vm) {
        return directory.resolve("vm" + vm.index());
    }

    Path disk(VmId vm) {
        return vmDirectory(vm).resolve("disk0.raw");
    }

    /** The guest's RAM. */
    Path ram(VmId vm) {
        return ramDirectory.resolve("vm" + vm.index() + ".ram");
    }

    /** Where the job's files are unpacked before they become a disk. */
    Path content() {
        return directory.resolve("content");
    }

    Path archive() {
        return directory.resolve("files.tar");
    }

    /**
     * Says on a disk which directory is the job's: guest/image/init has the VMs share it.
     *
     * @param content of the disk
     */
    static void nameJobDirectory(Path content, String directory) throws IOException {
        Files.writeString(content.resolve("directory"), directory);
    }

    static void createPrivate(Path directory) throws IOException {
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    /** Deletes a directory with all that is in it; it need not be there. Links are not followed. */
    static void deleteTree(Path root) throws IOException {
        try {
            Files.walkFileTree(root, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
                        throws IOException {
                    if (failure != null) {
                        throw failure;
                    }
                    Files.deleteIfExists(directory);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (NoSuchFileException e) {
            // Nothing to delete, or somebody else has.
            if (Files.exists(root)) {
                throw e;
            }
        }
    }
}
