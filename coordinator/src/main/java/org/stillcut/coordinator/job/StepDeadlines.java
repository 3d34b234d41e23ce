package org.stillcut.coordinator.job;

import java.time.Duration;
import org.stillcut.protocol.Step;

/**
 * How long the agents of a job may take for one step before it has failed. The times are bounds for a machine that is in
 * trouble, many times what a step takes on a sound one; those of the steps that disturb the job are the shortest.
 */
final class StepDeadlines {
    /** What a repository on the slowest file system worth having takes or gives, shared by all VMs of the job. */
    private static final long STORE_BYTES_PER_SECOND = 50L << 20;

    /** What a loaded machine copies in its memory: hosts that cannot track writes copy RAM while the VMs stand still. */
    private static final long COPY_BYTES_PER_SECOND = 500L << 20;

    private StepDeadlines() {}

    /**
     * For a job whose VMs have this much in all. The first checkpoint stores all of it, a restore brings it back, and whatever
     * else is done with whole images is quicker.
     */
    static Duration of(Step step, long ramBytes, long diskBytes) {
        return switch (step) {
            case BOOT, START, DESTROY, RUN, THAW, QUIESCE, FREEZE, PAUSE, RESUME, ABORT -> of(step);
            case CAPTURE -> of(step).plusSeconds(ramBytes / COPY_BYTES_PER_SECOND);
            case PREPARE, PERSIST, RESTORE -> of(step).plusSeconds((ramBytes + diskBytes) / STORE_BYTES_PER_SECOND);
        };
    }

    /** For the smallest job. */
    static Duration of(Step step) {
        return switch (step) {
            // Emulated VMs on a loaded machine boot in half a minute.
            case BOOT -> Duration.ofMinutes(3);
            case START, DESTROY -> Duration.ofSeconds(30);
            case RUN, THAW -> Duration.ofMinutes(1);
            case QUIESCE, FREEZE, PAUSE -> Duration.ofSeconds(10);
            case RESUME -> Duration.ofSeconds(20);
            case CAPTURE -> Duration.ofSeconds(30);
            // It waits for work of the store that cannot be broken off, and a job whose abort fails is restarted.
            case ABORT -> Duration.ofMinutes(2);
            // None of these holds up the job.
            case PREPARE, PERSIST, RESTORE -> Duration.ofMinutes(10);
        };
    }
}
