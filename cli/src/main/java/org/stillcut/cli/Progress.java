package org.stillcut.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Tells a person what is going on when it takes long: a line on the terminal that changes, and goes away when this is closed.
 * Where the standard error is no terminal nothing is said, so that scripts find there what failed and nothing else. Thread-safe.
 */
final class Progress implements AutoCloseable {
    private static final Duration PACE = Duration.ofMillis(500);
    private static final String CLEAR = "\r\u001b[K";

    private final String what;
    private final PrintStream terminal;
    private final long startNanos = System.nanoTime();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("progress").daemon().factory());
    private String detail = "";
    private boolean shown;
    private boolean closed;

    private Progress(String what, PrintStream terminal) {
        this.what = what;
        this.terminal = terminal;
    }

    /** Says nothing if it is closed before that time. */
    static Progress after(Duration patience, String what) {
        return Terminal.isOne(System.err)
                ? on(System.err, patience, what)
                : new Progress(what, new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
    }

    /** On a stream that is a terminal. */
    static Progress on(PrintStream terminal, Duration patience, String what) {
        Progress progress = new Progress(what, terminal);
        ScheduledFuture<?> ignored = progress.timer.scheduleAtFixedRate(
                progress::show, patience.toMillis(), PACE.toMillis(), TimeUnit.MILLISECONDS);
        return progress;
    }

    /** How far it is. */
    synchronized void say(String how) {
        detail = how;
    }

    private synchronized void show() {
        if (closed) {
            return;
        }
        shown = true;
        long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNanos);
        String line = "stillcut: " + what + (detail.isEmpty() ? "" : ", " + detail) + ", " + seconds + " s";
        terminal.print(CLEAR + line);
        terminal.flush();
    }

    @Override
    public synchronized void close() {
        closed = true;
        timer.shutdownNow();
        if (shown) {
            shown = false;
            terminal.print(CLEAR);
            terminal.flush();
        }
    }
}
