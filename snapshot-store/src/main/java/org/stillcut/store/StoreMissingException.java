package org.stillcut.store;

import org.jspecify.annotations.Nullable;

/** Something that was asked for is not in the repository: a chunk, a manifest, a pack, or the repository itself. */
public non-sealed class StoreMissingException extends StoreException {

    private static final long serialVersionUID = 1L;

    /** Says what is missing. */
    public StoreMissingException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
