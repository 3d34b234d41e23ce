package org.stillcut.systemtests.wire;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stillcut.systemtests.wire.Segment.Flow;

/**
 * When each segment of the job with a payload was on the wire, and what the receivers had acknowledged by then. Times are
 * microseconds since 1970. Thread-safe.
 */
public final class WireLog {
    private final ArrayDeque<Passage> passages = new ArrayDeque<>();
    private final ArrayDeque<Acknowledgement> acknowledgements = new ArrayDeque<>();
    private final ArrayDeque<Look> looks = new ArrayDeque<>();
    private final Map<Flow, Integer> acknowledgedBefore = new HashMap<>();
    private final List<String> unreadable = new ArrayList<>();
    private long payloadBytes;

    /** A segment on its way. It is on the wire from the first to the last microsecond. */
    static final class Passage {
        private final Segment segment;
        private final long enteredMicros;
        private long leftMicros = Long.MAX_VALUE;

        Passage(Segment segment, long enteredMicros) {
            this.segment = segment;
            this.enteredMicros = enteredMicros;
        }

        private boolean overlaps(long fromMicros, long toMicros) {
            return enteredMicros <= toMicros && leftMicros >= fromMicros;
        }
    }

    /** @param flow the direction whose bytes are acknowledged; {@code upTo} is empty when its numbers begin anew */
    private record Acknowledgement(long micros, Flow flow, Optional<Integer> upTo) {}

    /** All nodes' devices were looked at and emptied. */
    private record Look(long beganMicros, long endedMicros) {}

    /**
     * What was on the wire at some moment of an interval.
     *
     * @param observed whether the wire was looked at in the interval; if it was not, the rest says nothing
     * @param freshBytes payload that its receiver had not acknowledged when the interval began
     * @param repeatedBytes payload that its receiver had acknowledged before the interval: it was sent again for nothing
     * @param what the fresh segments, for a person
     */
    public record Held(boolean observed, long freshBytes, long repeatedBytes, List<String> what) {}

    synchronized Passage entered(Segment segment, long micros) {
        payloadBytes += segment.payloadBytes();
        if (segment.opens()) {
            acknowledgements.addLast(new Acknowledgement(micros, segment.flow(), Optional.empty()));
        }
        if (segment.acknowledges()) {
            acknowledgements.addLast(
                    new Acknowledgement(micros, segment.flow().reversed(), Optional.of(segment.acknowledged())));
        }
        Passage passage = new Passage(segment, micros);
        if (segment.payloadBytes() > 0) {
            passages.addLast(passage);
        }
        return passage;
    }

    synchronized void left(Passage passage, long micros) {
        passage.leftMicros = micros;
    }

    synchronized void looked(long beganMicros, long endedMicros) {
        looks.addLast(new Look(beganMicros, endedMicros));
    }

    synchronized void unreadable(String why) {
        unreadable.add(why);
    }

    /** What the log could not make sense of; as long as this is empty, nothing has passed uncounted. */
    public synchronized List<String> unreadable() {
        return List.copyOf(unreadable);
    }

    /** How many bytes of payload have come by, sent for the first time or again. */
    public synchronized long payloadBytes() {
        return payloadBytes;
    }

    /** What was on the wire between two moments, both included. */
    public synchronized Held during(long fromMicros, long toMicros) {
        boolean observed =
                looks.stream().anyMatch(look -> look.beganMicros >= fromMicros && look.endedMicros <= toMicros);
        Map<Flow, Integer> acknowledged = new HashMap<>(acknowledgedBefore);
        acknowledgements.stream()
                .takeWhile(acknowledgement -> acknowledgement.micros < fromMicros)
                .forEach(acknowledgement -> note(acknowledged, acknowledgement));
        long fresh = 0;
        long repeated = 0;
        List<String> what = new ArrayList<>();
        for (Passage passage : passages) {
            if (passage.overlaps(fromMicros, toMicros)) {
                Segment segment = passage.segment;
                @Nullable Integer upTo = acknowledged.get(segment.flow());
                if (upTo != null && segment.isCoveredBy(upTo)) {
                    repeated += segment.payloadBytes();
                } else {
                    fresh += segment.payloadBytes();
                    what.add(segment.flow() + " " + segment.payloadBytes() + " bytes, entered "
                            + (passage.enteredMicros - fromMicros) + " us after the beginning");
                }
            }
        }
        return new Held(observed, fresh, repeated, what);
    }

    private static void note(Map<Flow, Integer> acknowledged, Acknowledgement acknowledgement) {
        if (acknowledgement.upTo.isEmpty()) {
            acknowledged.remove(acknowledgement.flow);
        } else {
            acknowledged.merge(
                    acknowledgement.flow, acknowledgement.upTo.get(), (known, told) -> told - known > 0 ? told : known);
        }
    }

    /** Forgets what was over by then, as far as nothing later depends on it. */
    public synchronized void forgetBefore(long micros) {
        while (!acknowledgements.isEmpty() && acknowledgements.getFirst().micros < micros) {
            note(acknowledgedBefore, acknowledgements.removeFirst());
        }
        passages.removeIf(passage -> passage.leftMicros < micros);
        looks.removeIf(look -> look.endedMicros < micros);
    }
}
