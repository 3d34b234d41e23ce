package org.stillcut.store.io;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFullException;
import org.stillcut.store.StoreInterruptedException;
import org.stillcut.store.StoreIoException;
import org.stillcut.store.StoreMissingException;

/** The one place that turns an {@link IOException} of the JDK into an error of the store. */
final class IoFailure {

    /** Less room than this beside a failed write means that the write failed for want of room. */
    private static final long NO_ROOM_BYTES = 64 * 1024;

    private IoFailure() {}

    /** Names the error by what the JDK tells of its cause. */
    static StoreException of(String action, Path path, IOException cause) {
        String message = "cannot " + action + " " + path;
        if (cause instanceof NoSuchFileException) {
            return new StoreMissingException(message + ": no such file", cause);
        }
        if (cause instanceof ClosedByInterruptException) {
            return new StoreInterruptedException(message + ": interrupted", cause);
        }
        if (isFull(cause, path)) {
            return new StoreFullException(message + ": no space left", cause);
        }
        return new StoreIoException(message + ": " + cause.getMessage(), cause);
    }

    /**
     * The JDK (25) keeps no error number in an {@code IOException}: ENOSPC and EDQUOT are visible only in the text of the C library, which depends
     * on the locale. So ask the file system too. This can go when the JDK has a typed exception for it.
     */
    private static boolean isFull(IOException cause, Path path) {
        String text = cause instanceof FileSystemException failure ? failure.getReason() : cause.getMessage();
        if (text != null && (text.contains("No space left") || text.contains("quota exceeded"))) {
            return true;
        }
        Path parent = path.getParent();
        if (parent == null) {
            return false;
        }
        try {
            return Files.getFileStore(parent).getUsableSpace() < NO_ROOM_BYTES;
        } catch (IOException e) {
            cause.addSuppressed(e);
            return false;
        }
    }
}
