package org.stillcut.protocol;

import java.util.Optional;

/**
 * What the coordinator looks for in the job's traffic after a step, before it commands the next one. Nobody is asked to
 * agree: the counters of all VMs tell.
 */
public enum Watch {
    /** After {@link Step#QUIESCE}: until the traffic has come to rest, or the time for that is over. */
    DRAIN,
    /** After {@link Step#FREEZE}: until nothing is on the wire of the frozen job. */
    VERIFY,
    /**
     * After {@link Step#PAUSE}: the proof that nothing is on the wire, from what every VM showed when all jobs were frozen and it was
     * about to be stopped. Nobody can be asked any more.
     */
    SEAL,
    /** After {@link Step#RUN}: every VM shows exactly what was sealed with the checkpoint. */
    COMPARE,
    /** After {@link Step#THAW}: the ranks have taken up their work. A broken cut looks like silence, not like an error. */
    PROGRESS;

    /** The watch that follows when a step is done by all. */
    public static Optional<Watch> after(Step step) {
        return switch (step) {
            case QUIESCE -> Optional.of(DRAIN);
            case FREEZE -> Optional.of(VERIFY);
            case PAUSE -> Optional.of(SEAL);
            case RUN -> Optional.of(COMPARE);
            case THAW -> Optional.of(PROGRESS);
            case BOOT, START, PREPARE, CAPTURE, RESUME, PERSIST, ABORT, RESTORE, DESTROY -> Optional.empty();
        };
    }
}
