package org.stillcut.protocol.traffic;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** For how long things have looked the same, by the clock of the VM that they are in. */
final class Stillness<K> {
    private record Since(Object sight, long nanos) {}

    private final Map<K, Since> known = new HashMap<>();

    /**
     * Notes what a thing looks like now.
     *
     * @return for how long it has looked like that
     */
    Duration note(K thing, Object sight, long nowNanos) {
        @Nullable Since before = known.get(thing);
        if (before == null || !before.sight().equals(sight)) {
            known.put(thing, new Since(sight, nowNanos));
            return Duration.ZERO;
        }
        return Duration.ofNanos(nowNanos - before.nanos());
    }
}
