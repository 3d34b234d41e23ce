package org.stillcut.coordinator.job;

import org.stillcut.protocol.Step;
import org.stillcut.protocol.coordinator.JobState.Checkpointing;

/** Where a checkpoint is, as people are told: its steps, and the watches between them. In their order. */
public enum Stage {
    PREPARE(false),
    QUIESCE(true),
    DRAIN(true),
    FREEZE(true),
    VERIFY(true),
    PAUSE(true),
    CAPTURE(true),
    RESUME(true),
    PERSIST(false);

    private final boolean disturbs;

    Stage(boolean disturbs) {
        this.disturbs = disturbs;
    }

    /** Whether the job stands still, or may, in this stage. */
    public boolean disturbsJob() {
        return disturbs;
    }

    static Stage of(Checkpointing state) {
        boolean watching = state.awaited().isEmpty();
        if (watching && state.step() == Step.QUIESCE) {
            return DRAIN;
        }
        if (watching && state.step() == Step.FREEZE) {
            return VERIFY;
        }
        return valueOf(state.step().name());
    }
}
