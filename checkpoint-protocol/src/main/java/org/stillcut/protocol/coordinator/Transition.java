package org.stillcut.protocol.coordinator;

import java.util.ArrayList;
import java.util.List;

/**
 * The answer of the state machine to an event: where the job stands now, what must be durable first, and what to do
 * then, in order.
 */
public record Transition(JobState next, List<JobRecord> persistFirst, List<JobEffect> effects) {
    public Transition {
        persistFirst = List.copyOf(persistFirst);
        effects = List.copyOf(effects);
    }

    static Transition to(JobState next) {
        return new Transition(next, List.of(), List.of());
    }

    /** This transition, with records after those it has. */
    Transition persisting(JobRecord... records) {
        return new Transition(next, concat(persistFirst, List.of(records)), effects);
    }

    /** This transition, with effects after those it has. */
    Transition then(JobEffect... more) {
        return then(List.of(more));
    }

    Transition then(List<? extends JobEffect> more) {
        return new Transition(next, persistFirst, concat(effects, more));
    }

    /** What happened on the way to this transition: its records and effects come before those this one has. */
    Transition after(List<? extends JobRecord> records, List<? extends JobEffect> earlier) {
        return new Transition(next, concat(records, persistFirst), concat(earlier, effects));
    }

    private static <T> List<T> concat(List<? extends T> first, List<? extends T> second) {
        List<T> all = new ArrayList<>(first);
        all.addAll(second);
        return all;
    }
}
