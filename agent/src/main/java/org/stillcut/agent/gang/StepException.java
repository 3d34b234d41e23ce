package org.stillcut.agent.gang;

import java.util.Objects;
import org.stillcut.store.StoreFullException;

/** A step could not be done for one VM; the message is one line for a person. */
public final class StepException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String line;
    private final boolean storeFull;

    private StepException(String line, boolean storeFull, Throwable cause) {
        super(line, cause);
        this.line = line;
        this.storeFull = storeFull;
    }

    StepException(String line) {
        super(line);
        this.line = line;
        this.storeFull = false;
    }

    /** The cause's own message is the line. */
    static StepException of(Exception cause) {
        return cause instanceof StepException same
                ? same
                : new StepException(
                        Objects.toString(cause.getMessage(), cause.toString()),
                        cause instanceof StoreFullException,
                        cause);
    }

    static StepException of(String what, Exception cause) {
        return new StepException(
                what + ": " + Objects.toString(cause.getMessage(), cause.toString()),
                cause instanceof StoreFullException,
                cause);
    }

    public String line() {
        return line;
    }

    /** Whether a store without room is the reason. */
    public boolean storeFull() {
        return storeFull;
    }
}
