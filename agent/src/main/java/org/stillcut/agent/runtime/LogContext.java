package org.stillcut.agent.runtime;

import java.util.Optional;
import org.slf4j.MDC;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;

/** What the lines that a thread logs are about, as fields of their own: {@code job}, {@code epoch}, {@code checkpoint}. */
final class LogContext {
    private static final String JOB = "job";
    private static final String EPOCH = "epoch";
    private static final String CHECKPOINT = "checkpoint";

    private LogContext() {}

    /** For a thread that works on nothing else until it ends. */
    static void set(Incarnation incarnation, Optional<CheckpointId> checkpoint) {
        MDC.put(JOB, incarnation.job().value());
        MDC.put(EPOCH, Long.toString(incarnation.epoch()));
        checkpoint.ifPresent(id -> MDC.put(CHECKPOINT, Long.toString(id.sequence())));
    }

    /** For a thread that works on other things too. */
    static void during(Incarnation incarnation, Runnable action) {
        set(incarnation, Optional.empty());
        try {
            action.run();
        } finally {
            MDC.remove(JOB);
            MDC.remove(EPOCH);
        }
    }
}
