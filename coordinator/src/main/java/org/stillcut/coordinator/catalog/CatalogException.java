package org.stillcut.coordinator.catalog;

/** The catalog cannot be read or written. Nothing may be decided that cannot be recorded, so the coordinator must end. */
public final class CatalogException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CatalogException(String message, Throwable cause) {
        super(message, cause);
    }
}
