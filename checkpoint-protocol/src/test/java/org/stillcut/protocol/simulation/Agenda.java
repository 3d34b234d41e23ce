package org.stillcut.protocol.simulation;

import java.util.PriorityQueue;

/** Virtual time: what is to happen when, in an order that depends on nothing but what was scheduled. */
final class Agenda {
    private record Entry(long atMillis, long number, Runnable action) implements Comparable<Entry> {
        @Override
        public int compareTo(Entry other) {
            int byTime = Long.compare(atMillis, other.atMillis);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    private final PriorityQueue<Entry> entries = new PriorityQueue<>();
    private long nowMillis;
    private long scheduled;
    private long happened;

    long nowMillis() {
        return nowMillis;
    }

    /** How many entries have happened. */
    long happened() {
        return happened;
    }

    void in(long delayMillis, Runnable action) {
        at(nowMillis + delayMillis, action);
    }

    void at(long atMillis, Runnable action) {
        entries.add(new Entry(Math.max(atMillis, nowMillis), scheduled++, action));
    }

    void runUntil(long untilMillis) {
        for (Entry entry = entries.peek(); entry != null && entry.atMillis() <= untilMillis; entry = entries.peek()) {
            entries.remove();
            nowMillis = entry.atMillis();
            happened++;
            entry.action().run();
        }
        nowMillis = untilMillis;
    }
}
