package org.stillcut.store.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.stillcut.store.StoreException;

/** Files of the operating system: a local or a network file system with POSIX names. Stateless. */
public final class LocalFiles implements StoreFiles {

    private static final FileAttribute<Set<PosixFilePermission>> OWNER_FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    private static final FileAttribute<Set<PosixFilePermission>> OWNER_DIRECTORY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    @Override
    public LocalBlockFile create(Path file) throws StoreException {
        try {
            return new LocalBlockFile(
                    file,
                    FileChannel.open(
                            file,
                            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE),
                            OWNER_FILE));
        } catch (IOException e) {
            throw IoFailure.of("create", file, e);
        }
    }

    @Override
    public BlockFile createUncached(Path file) throws StoreException {
        return UncachedBlockFile.over(file, create(file));
    }

    @Override
    public BlockFile open(Path file) throws StoreException {
        try {
            return new LocalBlockFile(file, FileChannel.open(file, StandardOpenOption.READ));
        } catch (IOException e) {
            throw IoFailure.of("open", file, e);
        }
    }

    @Override
    public void rename(Path from, Path to) throws StoreException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw IoFailure.of("rename to " + to + " the file", from, e);
        }
    }

    /** {@inheritDoc} Rename replaces, but link(2) fails when the name exists, on NFS and Lustre too: so link, then remove the old name. */
    @Override
    public boolean renameIfAbsent(Path from, Path to) throws StoreException {
        try {
            Files.createLink(to, from);
        } catch (FileAlreadyExistsException e) {
            return false;
        } catch (IOException e) {
            throw IoFailure.of("link as " + to + " the file", from, e);
        }
        delete(from);
        return true;
    }

    @Override
    public void delete(Path file) throws StoreException {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw IoFailure.of("delete", file, e);
        }
    }

    @Override
    public void createDirectory(Path directory) throws StoreException {
        try {
            Files.createDirectory(directory, OWNER_DIRECTORY);
        } catch (FileAlreadyExistsException e) {
            // Another process was faster: fine, unless what is there is no directory.
            if (!Files.isDirectory(directory)) {
                throw IoFailure.of("create directory", directory, e);
            }
        } catch (IOException e) {
            throw IoFailure.of("create directory", directory, e);
        }
    }

    @Override
    public void syncDirectory(Path directory) throws StoreException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            throw IoFailure.of("sync directory", directory, e);
        }
    }

    @Override
    public Optional<StoreLock> tryLock(Path file) throws StoreException {
        return LocalLocks.tryLock(file, OWNER_FILE);
    }

    @Override
    public StoreLock createLocked(Path file, Path temporary) throws StoreException {
        return LocalLocks.createLocked(file, temporary, OWNER_FILE);
    }

    @Override
    public List<String> list(Path directory) throws StoreException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                Path name = entry.getFileName();
                if (name != null) {
                    names.add(name.toString());
                }
            }
        } catch (DirectoryIteratorException e) {
            throw IoFailure.of("list", directory, Objects.requireNonNull(e.getCause()));
        } catch (IOException e) {
            throw IoFailure.of("list", directory, e);
        }
        names.sort(null);
        return names;
    }
}
