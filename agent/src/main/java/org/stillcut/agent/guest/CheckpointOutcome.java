package org.stillcut.agent.guest;

/** How a checkpoint that a program of the job asked for has ended; what the program is told. */
public enum CheckpointOutcome {
    /** Durable. */
    COMMITTED(1),
    /** There is none; the program may ask again. */
    FAILED(2),
    /** This job has no checkpoints. */
    UNAVAILABLE(3);

    private final int code;

    CheckpointOutcome(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }
}
