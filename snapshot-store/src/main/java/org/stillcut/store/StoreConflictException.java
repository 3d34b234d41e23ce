package org.stillcut.store;

import org.jspecify.annotations.Nullable;

/** Something else is already there under this name: another repository, or a different commit under the same job and sequence. */
public final class StoreConflictException extends StoreException {

    private static final long serialVersionUID = 1L;

    /** Says what is there. */
    public StoreConflictException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
