package org.stillcut.api;

/** How a checkpoint that the program asked for has ended. */
public sealed interface CheckpointResult {

    /**
     * The checkpoint exists, durably.
     *
     * @param name of the checkpoint; empty if the host does not say
     * @param continuation {@link Continuation#RESTARTED} if the job has just been brought back from this very checkpoint
     */
    record Committed(String name, Continuation continuation) implements CheckpointResult {}

    /**
     * There is no such checkpoint. The job goes on and may ask again.
     *
     * @param reason one line for people
     */
    record Failed(String reason) implements CheckpointResult {}

    /**
     * This job has no checkpoints.
     *
     * @param reason one line for people
     */
    record Unavailable(String reason) implements CheckpointResult {}
}
