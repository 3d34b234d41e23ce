package org.stillcut.api;

/**
 * What a program does around each checkpoint. Called by the connection's own thread, one call at a time, while the rest of
 * the program runs: so no MPI in here without {@code MPI.THREAD_MULTIPLE}, and no call to {@link Stillcut}.
 */
public interface CheckpointHooks {
    /**
     * Called before a checkpoint, which waits for the end of the call, up to a limit of some seconds.
     *
     * @throws Exception to make this checkpoint fail, with the exception's message as the reason
     */
    void before() throws Exception;

    /**
     * Called after each {@link #before}, whether the checkpoint was taken or not. What it throws ends up with the thread's
     * handler of uncaught exceptions; the connection goes on.
     */
    void after(Continuation continuation);
}
