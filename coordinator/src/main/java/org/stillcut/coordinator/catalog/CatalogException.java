package org.stillcut.coordinator.catalog;

import org.jspecify.annotations.Nullable;

/** The catalog cannot be read or written. Nothing may be decided that cannot be recorded, so the coordinator must end. */
public final class CatalogException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CatalogException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
