package org.stillcut.store.io;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.stillcut.store.StoreException;

/**
 * The file system as the store needs it. The seam for fault injection and for other kinds of storage.
 *
 * <p>Implementations are thread-safe. A change is durable only after the {@code force} of the file (its bytes) and {@link #syncDirectory} of the
 * directory (its name); before that a power cut may undo it, or keep it, in any order.
 *
 * <p>Failures come as {@code StoreMissingException} (no such file), {@code StoreFullException} (no space or quota), {@code
 * StoreInterruptedException}, and {@code StoreIoException} (anything else).
 */
public interface StoreFiles {

    /** Creates a new file for writing, readable by the owner only; fails when the name exists. */
    BlockFile create(Path file) throws StoreException;

    /**
     * As {@link #create}, for a long file that is written once and hardly read soon: past the system's cache where the file system can do that. Cheapest
     * when appended in multiples of a megabyte from direct buffers.
     */
    BlockFile createUncached(Path file) throws StoreException;

    /** Opens an existing file for reading. */
    BlockFile open(Path file) throws StoreException;

    /** Gives a file another name within the same file system, atomically replacing what has that name. */
    void rename(Path from, Path to) throws StoreException;

    /**
     * Gives a file another name unless that name is taken: then returns false and changes nothing.
     *
     * <p>Of several processes that try the same name at once, exactly one gets true.
     */
    boolean renameIfAbsent(Path from, Path to) throws StoreException;

    /** Removes a file; that it is missing is no error. */
    void delete(Path file) throws StoreException;

    /** Creates a directory with access for the owner only; that it exists is no error. The parent must exist. */
    void createDirectory(Path directory) throws StoreException;

    /** Makes the names in this directory durable. */
    void syncDirectory(Path directory) throws StoreException;

    /**
     * Takes the lock of a file, which is created when it is missing; nothing when somebody holds it, in this process or another. The holder's death
     * gives it back.
     */
    Optional<StoreLock> tryLock(Path file) throws StoreException;

    /** Creates an empty file that is locked by the caller from the moment on that it has its name. */
    StoreLock createLocked(Path file, Path temporary) throws StoreException;

    /** The names in a directory, sorted. */
    List<String> list(Path directory) throws StoreException;
}
