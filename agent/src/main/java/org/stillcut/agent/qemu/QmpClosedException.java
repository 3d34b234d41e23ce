package org.stillcut.agent.qemu;

import org.jspecify.annotations.Nullable;

/** The connection is gone, mostly because QEMU is; no command will succeed on it again. */
public final class QmpClosedException extends QmpException {

    QmpClosedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
