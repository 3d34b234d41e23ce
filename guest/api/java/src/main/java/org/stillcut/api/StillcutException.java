package org.stillcut.api;

import java.io.IOException;

/** The connection to Stillcut is refused, lost or broken. The job itself is well; what was asked may or may not happen. */
public final class StillcutException extends IOException {
    private static final long serialVersionUID = 1L;

    StillcutException(String message) {
        super(message);
    }

    StillcutException(String message, Throwable cause) {
        super(message, cause);
    }
}
