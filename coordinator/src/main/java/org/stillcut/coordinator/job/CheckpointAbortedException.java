package org.stillcut.coordinator.job;

/** A checkpoint was begun and failed; the job runs on, and earlier checkpoints are untouched. */
public final class CheckpointAbortedException extends Exception {
    private static final long serialVersionUID = 1L;

    CheckpointAbortedException(String message) {
        super(message);
    }
}
