package org.stillcut.protocol;

import java.util.Optional;

/**
 * What the coordinator looks for in the job's traffic after a step, before it commands the next one. Nobody is asked to
 * agree: the counters of all VMs tell.
 */
public enum Watch {
    /** After {@link Step#QUIESCE}: until the traffic has come to rest, or the time for that is over. */
    DRAIN,
    /** After {@link Step#FREEZE}: the proof that nothing is on the wire, which no later moment of the frozen job changes. */
    VERIFY,
    /** After {@link Step#RUN}: every VM shows exactly what was sealed with the checkpoint. */
    COMPARE,
    /** After {@link Step#THAW}: the ranks have taken up their work. A broken cut looks like silence, not like an error. */
    PROGRESS;

    /** The watch that follows when a step is done by all. */
    public static Optional<Watch> after(Step step) {
        return switch (step) {
            case QUIESCE -> Optional.of(DRAIN);
            case FREEZE -> Optional.of(VERIFY);
            case RUN -> Optional.of(COMPARE);
            case THAW -> Optional.of(PROGRESS);
            case BOOT, START, PREPARE, PAUSE, CAPTURE, RESUME, PERSIST, ABORT, RESTORE, DESTROY -> Optional.empty();
        };
    }
}
