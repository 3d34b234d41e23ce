package org.stillcut.protocol.traffic;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * For how long things have looked the same, by the clock of the VM that they are in. What is not seen in a round is forgotten:
 * it may have been another thing when it comes back, and a guest could invent ever new ones.
 */
final class Stillness<K> {
    private record Since(Object sight, long nanos) {}

    private Map<K, Since> before = new LinkedHashMap<>();
    private Map<K, Since> known = new LinkedHashMap<>();

    /** What is noted from now on is of a new round. */
    void nextRound() {
        before = known;
        known = new LinkedHashMap<>();
    }

    /**
     * Notes what a thing looks like now.
     *
     * @return for how long it has looked like that, in every round
     */
    Duration note(K thing, Object sight, long nowNanos) {
        @Nullable Since then = before.get(thing);
        Since since = then == null || !then.sight().equals(sight) ? new Since(sight, nowNanos) : then;
        known.put(thing, since);
        return Duration.ofNanos(nowNanos - since.nanos());
    }
}
