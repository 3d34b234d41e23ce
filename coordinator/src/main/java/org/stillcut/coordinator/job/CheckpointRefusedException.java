package org.stillcut.coordinator.job;

/** No checkpoint was begun, and why. */
public final class CheckpointRefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    CheckpointRefusedException(String message) {
        super(message);
    }
}
