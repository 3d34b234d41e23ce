package org.stillcut.store;

import org.jspecify.annotations.Nullable;

/**
 * An expected failure of the store. Checked and sealed, because each kind needs another reaction of the caller.
 *
 * <p>The message says what failed, on which id, path or offset, and the value seen.
 */
public abstract sealed class StoreException extends Exception
        permits StoreMissingException,
                StoreCorruptException,
                StoreFullException,
                StoreFormatException,
                StoreConflictException,
                StoreIoException,
                StoreInterruptedException {

    private static final long serialVersionUID = 1L;

    StoreException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
