package org.stillcut.security.ca;

/** An authority cannot do what is asked; the message is one line for a person. */
public final class AuthorityException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String line;

    AuthorityException(String line) {
        super(line);
        this.line = line;
    }

    public String line() {
        return line;
    }
}
