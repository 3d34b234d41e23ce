package org.stillcut.coordinator.files;

/** What a job has changed cannot be had; the message is for its user. */
public class FilesException extends Exception {
    private static final long serialVersionUID = 1L;

    FilesException(String message) {
        super(message);
    }

    FilesException(String message, Throwable cause) {
        super(message, cause);
    }

    /** There is nothing, and there will not be. */
    public static final class Missing extends FilesException {
        private static final long serialVersionUID = 1L;

        Missing(String message) {
            super(message);
        }
    }
}
