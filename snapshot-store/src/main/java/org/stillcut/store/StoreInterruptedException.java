package org.stillcut.store;

import org.jspecify.annotations.Nullable;

/** The calling thread was interrupted; its interrupt flag is set again. What was being written is not referenced by anything. */
public final class StoreInterruptedException extends StoreException {

    private static final long serialVersionUID = 1L;

    /** Says what was interrupted. */
    public StoreInterruptedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
