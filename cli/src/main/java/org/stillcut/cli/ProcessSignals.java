package org.stillcut.cli;

import java.util.List;
import java.util.function.IntConsumer;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Takes the signals that this process gets away from the JVM, as mpirun does something else at each. Java has no other way to
 * tell them apart than this class of the JDK, which {@code jdk.unsupported} exports until there is one.
 */
final class ProcessSignals implements AutoCloseable {
    /** A signal as Linux numbers it. */
    enum Kind {
        HUP(1),
        INT(2),
        USR1(10),
        USR2(12),
        TERM(15),
        CONT(18),
        TSTP(20);

        private final int number;

        Kind(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }

        /** Whether mpirun ends at it. */
        boolean ends() {
            return switch (this) {
                case HUP, INT, TERM -> true;
                case USR1, USR2, CONT, TSTP -> false;
            };
        }
    }

    private final List<Restored> before;

    private record Restored(Signal signal, SignalHandler handler) {}

    private ProcessSignals(List<Restored> before) {
        this.before = before;
    }

    /** Hands the numbers of these signals on until it is closed; each comes on a thread of its own. */
    static ProcessSignals take(List<Kind> kinds, IntConsumer receiver) {
        return new ProcessSignals(kinds.stream()
                .map(kind -> new Signal(kind.name()))
                .map(signal -> new Restored(signal, Signal.handle(signal, got -> receiver.accept(got.getNumber()))))
                .toList());
    }

    @Override
    public void close() {
        before.forEach(old -> Signal.handle(old.signal(), old.handler()));
    }
}
