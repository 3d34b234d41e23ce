package org.stillcut.agent.gang;

import java.util.Objects;
import org.stillcut.protocol.agent.AgentEvent.WorkFailed.Cause;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreFormatException;
import org.stillcut.store.StoreFullException;
import org.stillcut.store.StoreMissingException;

/** A step could not be done for one VM; the message is one line for a person. */
public final class StepException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String line;
    private final Cause kind;

    private StepException(String line, Throwable cause) {
        super(line, cause);
        this.line = line;
        this.kind = kind(cause);
    }

    public StepException(String line) {
        super(line);
        this.line = line;
        this.kind = Cause.OTHER;
    }

    /** The cause's own message is the line. */
    static StepException of(Exception cause) {
        return cause instanceof StepException same
                ? same
                : new StepException(Objects.toString(cause.getMessage(), cause.toString()), cause);
    }

    static StepException of(String what, Exception cause) {
        return new StepException(what + ": " + Objects.toString(cause.getMessage(), cause.toString()), cause);
    }

    private static Cause kind(Throwable cause) {
        return switch (cause) {
            case StoreFullException _ -> Cause.STORE_FULL;
            case StoreCorruptException _, StoreFormatException _, StoreMissingException _ -> Cause.SNAPSHOT_DAMAGED;
            default -> Cause.OTHER;
        };
    }

    public String line() {
        return line;
    }

    /** What kind of failure it was, as far as somebody decides by it. */
    public Cause kind() {
        return kind;
    }
}
