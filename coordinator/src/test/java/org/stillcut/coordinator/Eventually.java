package org.stillcut.coordinator;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import org.assertj.core.api.Assertions;

/** Waits for what other threads are about to do, with a deadline, and fails with what was seen last. */
public final class Eventually {
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(5);

    private Eventually() {}

    /** Returns the first value that is as it should be. */
    public static <T> T see(String what, Callable<T> look, Predicate<T> asItShouldBe) throws Exception {
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        T seen = look.call();
        while (!asItShouldBe.test(seen)) {
            if (System.nanoTime() > deadline) {
                Assertions.fail("%s: not within %s; seen last: %s", what, DEADLINE, seen);
            }
            Thread.sleep(BETWEEN_LOOKS);
            seen = look.call();
        }
        return seen;
    }
}
