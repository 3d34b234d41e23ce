package org.stillcut.agent.guest;

/** Hears what a guest says without being asked. Called by the channel's reading thread, one call at a time. */
public interface GuestListener {
    /**
     * A piece of the job's output. The guest sends it again after a reconnection until it is acknowledged.
     *
     * @param stream 1 is stdout, 2 is stderr
     * @param offset of the first byte, counted from the start of the job
     */
    void output(int stream, long offset, byte[] data);

    /**
     * The job's main process has ended and all its output has been sent. Comes again after a reconnection.
     *
     * @param exitStatus as a shell shows it: the exit code, or 128 + signal
     */
    void exited(int exitStatus);
}
