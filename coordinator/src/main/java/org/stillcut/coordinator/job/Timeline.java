package org.stillcut.coordinator.job;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.List;

/** What happened to a job, for people. Bounded: the oldest entries go first. Thread-safe. */
public final class Timeline {
    private static final int MOST_ENTRIES = 1000;

    private final InstantSource clock;
    private final ArrayDeque<Entry> entries = new ArrayDeque<>();
    private long count;

    /** One thing that happened; numbers grow by one. */
    public record Entry(long number, Instant time, String text) {}

    public Timeline(InstantSource clock) {
        this.clock = clock;
    }

    /** What tells the time of the entries. */
    InstantSource clock() {
        return clock;
    }

    synchronized void add(String text) {
        entries.addLast(new Entry(count++, clock.instant(), text));
        if (entries.size() > MOST_ENTRIES) {
            entries.removeFirst();
        }
    }

    /** The entries with that number and later, as far as they are kept. */
    public synchronized List<Entry> since(long number) {
        return entries.stream().filter(entry -> entry.number() >= number).toList();
    }

    /** How many entries there have been. */
    public synchronized long count() {
        return count;
    }
}
