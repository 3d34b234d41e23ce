package org.stillcut.coordinator.job;

import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.coordinator.JobState;

/** What the lines that a thread logs are about, as fields of their own: {@code job}, {@code epoch}, {@code checkpoint}. */
public final class LogContext {
    private static final String JOB = "job";
    private static final String EPOCH = "epoch";
    private static final String CHECKPOINT = "checkpoint";

    private LogContext() {}

    /** From now on this thread works on a job that stands there. */
    static void set(JobState state) {
        MDC.put(JOB, state.job().id().value());
        MDC.put(EPOCH, Long.toString(state.job().epoch()));
        checkpoint(state)
                .ifPresentOrElse(id -> MDC.put(CHECKPOINT, Long.toString(id.sequence())), () -> MDC.remove(CHECKPOINT));
    }

    private static Optional<CheckpointId> checkpoint(JobState state) {
        if (state instanceof JobState.Committing committing) {
            return Optional.of(committing.id());
        }
        return state instanceof JobState.Barrier barrier ? barrier.checkpoint() : Optional.empty();
    }

    /** Until it is closed this thread works on a job. */
    public static MDC.MDCCloseable of(JobId job) {
        return MDC.putCloseable(JOB, job.value());
    }

    /** The same action, about what this thread works on now, wherever it runs. */
    public static Runnable kept(Runnable action) {
        @Nullable Map<String, String> fields = MDC.getCopyOfContextMap();
        return () -> {
            if (fields != null) {
                MDC.setContextMap(fields);
            }
            try {
                action.run();
            } finally {
                MDC.clear();
            }
        };
    }
}
