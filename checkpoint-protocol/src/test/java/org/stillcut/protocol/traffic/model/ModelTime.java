package org.stillcut.protocol.traffic.model;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.function.BooleanSupplier;

/** Virtual time, in microseconds, and what is going to happen. */
final class ModelTime {
    private record Due(long at, long order, Runnable what) {}

    private final PriorityQueue<Due> agenda =
            new PriorityQueue<>(Comparator.comparingLong(Due::at).thenComparingLong(Due::order));
    private long now;
    private long order;

    long now() {
        return now;
    }

    void after(long micros, Runnable what) {
        agenda.add(new Due(now + micros, order++, what));
    }

    /** Lets things happen for so long, or until the condition is false. */
    void pass(long micros, BooleanSupplier goOn) {
        long end = now + micros;
        while (goOn.getAsBoolean()) {
            Due next = agenda.peek();
            if (next == null || next.at() > end) {
                now = end;
                return;
            }
            agenda.remove();
            now = next.at();
            next.what().run();
        }
    }

    void pass(long micros) {
        pass(micros, () -> true);
    }
}
