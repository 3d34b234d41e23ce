package org.stillcut.coordinator.job;

import java.time.Duration;
import org.stillcut.protocol.Step;

/**
 * How long the agents of a job may take for one step before it has failed. The times are bounds for a machine that is in
 * trouble, many times what a step takes on a sound one; those of the steps that disturb the job are the shortest.
 */
final class StepDeadlines {
    private StepDeadlines() {}

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
