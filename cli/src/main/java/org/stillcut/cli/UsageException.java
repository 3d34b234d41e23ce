package org.stillcut.cli;

/** What was typed cannot be meant; the message is one line for the person who typed it. */
final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String line;

    UsageException(String line) {
        super(line);
        this.line = line;
    }

    String line() {
        return line;
    }
}
