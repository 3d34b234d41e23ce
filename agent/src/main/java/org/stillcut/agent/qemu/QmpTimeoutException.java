package org.stillcut.agent.qemu;

import java.time.Duration;

/** QEMU did not answer in time: whether the command was or will be carried out is not known. */
public final class QmpTimeoutException extends QmpException {

    QmpTimeoutException(String awaited, Duration deadline) {
        super("no " + awaited + " from QEMU within " + deadline.toMillis() + " ms", null);
    }
}
