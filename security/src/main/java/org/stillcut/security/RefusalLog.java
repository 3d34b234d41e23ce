package org.stillcut.security;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Tells of refused peers without being flooded: agents try twice a second, and a stranger as often as he likes. The same line
 * is told once a minute, and of different ones a bounded number. Thread-safe.
 */
public final class RefusalLog implements Consumer<PeerRefusedException> {
    private static final int MOST_LINES = 100;
    private static final long AGAIN_NANOS = 60_000_000_000L;

    private final Consumer<String> told;
    private final LongSupplier nanoTime;
    private final Map<String, Long> lastTold = new LinkedHashMap<>();

    public RefusalLog(Consumer<String> told, LongSupplier nanoTime) {
        this.told = told;
        this.nanoTime = nanoTime;
    }

    @Override
    public void accept(PeerRefusedException refusal) {
        long now = nanoTime.getAsLong();
        synchronized (this) {
            lastTold.values().removeIf(time -> now - time >= AGAIN_NANOS);
            if (lastTold.containsKey(refusal.line()) || lastTold.size() >= MOST_LINES) {
                return;
            }
            lastTold.put(refusal.line(), now);
        }
        told.accept(refusal.line());
    }
}
