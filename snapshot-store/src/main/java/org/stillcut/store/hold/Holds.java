package org.stillcut.store.hold;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreInterruptedException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.io.AtomicFile;
import org.stillcut.store.io.BlockFile;
import org.stillcut.store.io.StoreFiles;
import org.stillcut.store.io.StoreLock;

/**
 * The holds of a repository: {@code holds/<id>.lock}, which its owner has locked for as long as it lives, and {@code holds/<id>.hold}, which says what
 * it holds. Thread-safe, and safe among processes.
 *
 * <p>Opening: the lock first, then the content; closing: the content, then the lock. So a locked hold without content is one in between, and may hold
 * anything. Who is alive is decided by the lock alone, never by a clock. Nothing here is forced to the disk: a power cut ends all owners.
 */
public final class Holds {

    private static final Pattern LOCK = Pattern.compile("([0-9a-f]{16})\\.lock");
    private static final Pattern CONTENT = Pattern.compile("([0-9a-f]{16})\\.hold");
    private static final Pattern TEMPORARY = Pattern.compile("tmp-[0-9a-f]{16}(-lock)?");
    private static final int EXCLUSIVE_ATTEMPTS = 200;
    private static final long BETWEEN_ATTEMPTS_MILLIS = 50;

    private final StoreFiles files;
    private final RandomGenerator random;
    private final Path directory;

    /** The holds of the repository in this directory. */
    public Holds(StoreFiles files, RandomGenerator random, Path repository) {
        this.files = files;
        this.random = random;
        this.directory = repository.resolve("holds");
    }

    /** Creates the directory. May be repeated. */
    public void create() throws StoreException {
        files.createDirectory(directory);
    }

    /** From when it returns on, every prune that begins to look sees this hold. */
    public Hold open(HoldContent content) throws StoreException {
        try {
            return openOnce(content);
        } catch (StoreMissingException e) {
            // A prune took the file that was about to be locked for one that a dead process left. Not twice in a row.
            return openOnce(content);
        }
    }

    private Hold openOnce(HoldContent content) throws StoreException {
        String id = HexFormat.of().toHexDigits(random.nextLong());
        StoreLock lock;
        try {
            lock = files.createLocked(lockFile(id), temporary(id + "-lock"));
        } catch (StoreException e) {
            files.delete(temporary(id + "-lock"));
            throw e;
        }
        Hold hold = new Hold(this, id, lock);
        try {
            writeContent(id, content);
            return hold;
        } catch (StoreException e) {
            try {
                hold.close();
            } catch (StoreException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    private void writeContent(String id, HoldContent content) throws StoreException {
        Path temporary = temporary(id);
        try {
            try (BlockFile file = files.create(temporary)) {
                file.append(ByteBuffer.wrap(content.encode()));
            }
            files.rename(temporary, contentFile(id));
        } catch (StoreException e) {
            files.delete(temporary);
            throw e;
        }
    }

    void remove(String id) throws StoreException {
        files.delete(contentFile(id));
        files.delete(lockFile(id));
    }

    /** What the living hold, by id; nothing where a hold is about to begin or to end. What the dead left is removed. */
    public SortedMap<String, Optional<HoldContent>> living() throws StoreException {
        SortedMap<String, Optional<HoldContent>> living = new TreeMap<>();
        Set<String> contents = new TreeSet<>();
        for (String name : files.list(directory)) {
            if (CONTENT.matcher(name).matches()) {
                contents.add(name.substring(0, 16));
            }
        }
        // Listed again, because a lock comes before its content: content found above without a lock here is a dead
        // one's.
        for (String name : files.list(directory)) {
            if (LOCK.matcher(name).matches()) {
                String id = name.substring(0, 16);
                contents.remove(id);
                if (isAlive(id)) {
                    living.put(id, read(id));
                }
            }
        }
        for (String orphan : contents) {
            files.delete(contentFile(orphan));
        }
        return living;
    }

    /**
     * What the living hold, when none of them is about to begin or to end. Waits for that at most ten seconds, then fails with {@link
     * StoreConflictException}.
     */
    public SortedMap<String, HoldContent> settled() throws StoreException {
        for (int attempt = 0; attempt < EXCLUSIVE_ATTEMPTS; attempt++) {
            SortedMap<String, HoldContent> settled = new TreeMap<>();
            SortedMap<String, Optional<HoldContent>> living = living();
            living.forEach((id, content) -> content.ifPresent(known -> settled.put(id, known)));
            if (settled.size() == living.size()) {
                return settled;
            }
            pause();
        }
        throw new StoreConflictException("holds in " + directory + " neither begin nor end", null);
    }

    /** Whether the owner of this hold still has it. */
    public boolean isAlive(String id) throws StoreException {
        if (!files.list(directory).contains(lockFile(id).getFileName().toString())) {
            return false;
        }
        Optional<StoreLock> lock = files.tryLock(lockFile(id));
        if (lock.isEmpty()) {
            return true;
        }
        try (StoreLock _ = lock.get()) {
            remove(id);
        }
        return false;
    }

    /** The names under which holds begin, or began when their owner died. */
    public List<Path> temporaries() throws StoreException {
        return files.list(directory).stream()
                .filter(name -> TEMPORARY.matcher(name).matches())
                .map(directory::resolve)
                .toList();
    }

    private Optional<HoldContent> read(String id) throws StoreException {
        Path path = contentFile(id);
        try {
            return Optional.of(HoldContent.decode(HoldContent.frame().readFile(files, path), path.toString()));
        } catch (StoreMissingException e) {
            return Optional.empty();
        }
    }

    /**
     * The lock that only one process, and one thread in it, has at a time.
     *
     * <p>Waits for it at most ten seconds, or not at all; fails with {@link StoreConflictException} when somebody else keeps it.
     */
    public StoreLock exclusive(String name, boolean wait) throws StoreException {
        Path file = directory.resolve("exclusive-" + name);
        for (int attempt = 0; attempt < (wait ? EXCLUSIVE_ATTEMPTS : 1); attempt++) {
            Optional<StoreLock> lock = files.tryLock(file);
            if (lock.isPresent()) {
                return lock.get();
            }
            if (wait) {
                pause();
            }
        }
        throw new StoreConflictException("another process has the lock " + file, null);
    }

    private static void pause() throws StoreInterruptedException {
        try {
            Thread.sleep(BETWEEN_ATTEMPTS_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreInterruptedException("interrupted while waiting for a lock", e);
        }
    }

    private Path lockFile(String id) {
        return directory.resolve(id + ".lock");
    }

    private Path contentFile(String id) {
        return directory.resolve(id + ".hold");
    }

    private Path temporary(String suffix) {
        return directory.resolve(AtomicFile.TEMPORARY_PREFIX + suffix);
    }
}
