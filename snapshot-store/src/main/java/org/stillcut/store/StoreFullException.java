package org.stillcut.store;

import org.jspecify.annotations.Nullable;

/** No space or quota is left on the repository's file system. What was committed stays readable; writing works again once there is room. */
public final class StoreFullException extends StoreException {

    private static final long serialVersionUID = 1L;

    /** Says which write found no room. */
    public StoreFullException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
