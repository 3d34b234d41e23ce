package org.stillcut.store.io;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.stillcut.store.StoreException;

/**
 * A small file that appears whole and durable, or not at all: written under a temporary name beside the target, forced, renamed, and the directory
 * forced.
 */
public final class AtomicFile {

    /** Names with this prefix are unfinished; no reader looks at them. */
    public static final String TEMPORARY_PREFIX = "tmp-";

    private final StoreFiles files;
    private final Path directory;
    private final Path temporary;
    private final Path target;

    /**
     * Names the file; touches nothing yet.
     *
     * @param temporarySuffix makes the temporary name unlike that of any other writer
     */
    public AtomicFile(StoreFiles files, Path directory, String name, String temporarySuffix) {
        this.files = files;
        this.directory = directory;
        this.temporary = directory.resolve(TEMPORARY_PREFIX + temporarySuffix);
        this.target = directory.resolve(name);
    }

    /** Durable when it returns, in the place of whatever had the name. On failure the name is as before, or has the new content. */
    public void write(byte[] content) throws StoreException {
        writeTemporary(content);
        try {
            files.rename(temporary, target);
        } catch (StoreException e) {
            throw discard(e);
        }
        files.syncDirectory(directory);
    }

    /** As {@link #write}, unless the name is taken: then the directory is made durable, and false is returned. */
    public boolean writeIfAbsent(byte[] content) throws StoreException {
        writeTemporary(content);
        boolean written;
        try {
            written = files.renameIfAbsent(temporary, target);
            if (!written) {
                files.delete(temporary);
            }
        } catch (StoreException e) {
            throw discard(e);
        }
        // Also when the name was taken: whoever took it may have died before this step, and the caller relies on what
        // it finds there.
        files.syncDirectory(directory);
        return written;
    }

    private void writeTemporary(byte[] content) throws StoreException {
        try (BlockFile file = files.create(temporary)) {
            file.append(ByteBuffer.wrap(content));
            file.force();
        } catch (StoreException e) {
            throw discard(e);
        }
    }

    private StoreException discard(StoreException failure) {
        try {
            files.delete(temporary);
        } catch (StoreException e) {
            failure.addSuppressed(e);
        }
        return failure;
    }
}
