package org.stillcut.store;

import org.jspecify.annotations.Nullable;

/** The operating system failed an access (input/output error, permission, an image source that cannot be read). */
public final class StoreIoException extends StoreException {

    private static final long serialVersionUID = 1L;

    /** Says which access failed. */
    public StoreIoException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
