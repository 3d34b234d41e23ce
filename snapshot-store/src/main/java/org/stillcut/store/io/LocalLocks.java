package org.stillcut.store.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.StoreException;

/**
 * Locks of the operating system (POSIX record locks, which network file systems have too). Thread-safe.
 *
 * <p>POSIX gives a lock back as soon as the process closes <em>any</em> descriptor of the file. So a file that is locked from within this process is
 * not even opened: a table of the whole process tells.
 */
final class LocalLocks {

    /** The files that this process has locked, or is about to lock. */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private LocalLocks() {}

    static Optional<StoreLock> tryLock(Path file, FileAttribute<Set<PosixFilePermission>> owner) throws StoreException {
        Path key = key(file);
        if (!HELD.add(key)) {
            return Optional.empty();
        }
        @Nullable StoreLock lock = null;
        try {
            FileChannel channel =
                    FileChannel.open(file, Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE), owner);
            lock = lock(channel, key);
        } catch (IOException e) {
            throw IoFailure.of("lock", file, e);
        } finally {
            if (lock == null) {
                HELD.remove(key);
            }
        }
        return Optional.ofNullable(lock);
    }

    static StoreLock createLocked(Path file, Path temporary, FileAttribute<Set<PosixFilePermission>> owner)
            throws StoreException {
        Path key = key(file);
        if (!HELD.add(key)) {
            throw new IllegalStateException(file + " is locked already");
        }
        @Nullable StoreLock lock = null;
        try {
            FileChannel channel =
                    FileChannel.open(temporary, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), owner);
            StoreLock locked = lock(channel, key);
            if (locked == null) {
                throw new IOException("the new file is locked by somebody else");
            }
            lock = locked;
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            if (lock != null) {
                lock.close();
            }
            throw IoFailure.of("create and lock", file, e);
        } finally {
            if (lock == null) {
                HELD.remove(key);
            }
        }
        return lock;
    }

    /** The lock, or null, with the channel closed, when another process has it. */
    private static @Nullable StoreLock lock(FileChannel channel, Path key) throws IOException {
        @Nullable FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            throw new IOException("locked in this process under another name", e);
        } finally {
            if (lock == null) {
                channel.close();
            }
        }
        return lock == null ? null : new Held(key, channel);
    }

    /** The same file has the same key, whatever path leads to its directory. */
    private static Path key(Path file) throws StoreException {
        Path absolute = file.toAbsolutePath();
        try {
            Path parent = absolute.getParent();
            return parent == null ? absolute : parent.toRealPath().resolve(absolute.getFileName());
        } catch (IOException e) {
            throw IoFailure.of("lock", file, e);
        }
    }

    private record Held(Path key, FileChannel channel) implements StoreLock {
        @Override
        public void close() throws StoreException {
            try {
                // Closing the channel gives the lock back.
                channel.close();
            } catch (IOException e) {
                throw IoFailure.of("unlock", key, e);
            } finally {
                HELD.remove(key);
            }
        }
    }
}
