package org.stillcut.coordinator.job;

import java.time.Duration;

/** Wakes whoever watches a job when something about it has changed. Thread-safe. */
public final class ChangeSignal {
    private long version;

    /** Says that something has changed. */
    public synchronized void raise() {
        version++;
        notifyAll();
    }

    /** To be taken before looking at the job, and given to {@link #await} after. */
    public synchronized long version() {
        return version;
    }

    /** Waits until there was a change after that version, or the time is over. */
    public synchronized void await(long seen, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        long left = timeout.toMillis();
        while (version == seen && left > 0) {
            wait(left);
            left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
        }
    }
}
