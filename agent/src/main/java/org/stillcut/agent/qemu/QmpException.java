package org.stillcut.agent.qemu;

import org.jspecify.annotations.Nullable;

/** A QMP command or event did not come to its end. The three kinds need different reactions, see the subclasses. */
public abstract sealed class QmpException extends Exception
        permits QmpRefusedException, QmpTimeoutException, QmpClosedException {

    QmpException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
