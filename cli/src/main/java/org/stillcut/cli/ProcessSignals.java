package org.stillcut.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
        long ignored = ignored();
        return new ProcessSignals(kinds.stream()
                // As nohup and shells leave them: who started this process does not want it to hear of them.
                .filter(kind -> (ignored >>> (kind.number() - 1) & 1) == 0)
                .map(kind -> new Signal(kind.name()))
                .map(signal -> new Restored(signal, Signal.handle(signal, got -> receiver.accept(got.getNumber()))))
                .toList());
    }

    /** Linux' set of the signals that this process was started to ignore: bit 0 is signal 1. */
    private static long ignored() {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("SigIgn:"))
                    .mapToLong(line -> Long.parseUnsignedLong(
                            line.substring("SigIgn:".length()).strip(), 16))
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            return 0;
        }
    }

    @Override
    public void close() {
        before.forEach(old -> Signal.handle(old.signal(), old.handler()));
    }
}
