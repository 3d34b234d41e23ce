package org.stillcut.coordinator.job;

/** The repository could not be read or written; the message is one line for a person. */
public final class CommitException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String line;

    public CommitException(String line) {
        super(line);
        this.line = line;
    }

    public CommitException(String line, Throwable cause) {
        super(line, cause);
        this.line = line;
    }

    public String line() {
        return line;
    }
}
