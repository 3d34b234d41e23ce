package org.stillcut.systemtests;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeoutException;

/** Waits for what a cluster does by itself, with a deadline and a report of what was seen last. */
public final class Waiting {
    private static final Duration LOOK = Duration.ofMillis(100);

    private Waiting() {}

    /** Looks once; what is not there yet is empty. */
    @FunctionalInterface
    interface Look<T> {
        Optional<T> look() throws Exception;
    }

    /** Blocks until a look finds something. */
    static <T> T until(String what, Duration limit, Look<T> look) throws Exception {
        long deadline = System.nanoTime() + limit.toNanos();
        while (true) {
            Optional<T> found = look.look();
            if (found.isPresent()) {
                return found.get();
            }
            if (System.nanoTime() > deadline) {
                throw new TimeoutException("not within " + limit.toSeconds() + " s: " + what);
            }
            Thread.sleep(LOOK);
        }
    }

    /** Blocks until something is true. */
    static void untilTrue(String what, Duration limit, Condition condition) throws Exception {
        boolean seen = until(what, limit, () -> condition.holds() ? Optional.of(true) : Optional.empty());
        if (!seen) {
            throw new IllegalStateException(what);
        }
    }

    /** Something that is or is not. */
    @FunctionalInterface
    interface Condition {
        boolean holds() throws Exception;
    }
}
