package org.stillcut.agent.linux;

import java.time.Duration;

/** A point in time by which something of several steps must be done, measured by the monotonic clock. Immutable. */
public final class Deadline {

    private final long atNanos;

    private Deadline(long atNanos) {
        this.atNanos = atNanos;
    }

    /** The deadline {@code duration} from now. */
    public static Deadline after(Duration duration) {
        return new Deadline(System.nanoTime() + duration.toNanos());
    }

    /** The time left, zero when it is over. */
    public Duration remaining() {
        return Duration.ofNanos(Math.max(0, atNanos - System.nanoTime()));
    }

    public boolean isOver() {
        return remaining().isZero();
    }
}
