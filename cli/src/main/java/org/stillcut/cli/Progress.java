package org.stillcut.cli;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * Tells a person on stderr what is going on when it takes long: one line that changes on a terminal, one line at all elsewhere.
 * Thread-safe; closing it takes the line away.
 */
final class Progress implements AutoCloseable {
    private static final Duration PACE = Duration.ofMillis(500);

    private final String what;
    private final boolean terminal;
    private final long startNanos = System.nanoTime();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("progress").daemon().factory());
    private String detail = "";
    private boolean shown;
    private boolean closed;

    private Progress(String what, boolean terminal) {
        this.what = what;
        this.terminal = terminal;
    }

    /** Says nothing if it is closed before that time. */
    static Progress after(Duration patience, String what) {
        Progress progress = new Progress(what, Terminal.isOne(System.err));
        ScheduledFuture<?> ignored = progress.timer.scheduleAtFixedRate(
                progress::show, patience.toMillis(), PACE.toMillis(), TimeUnit.MILLISECONDS);
        return progress;
    }

    /** How far it is. */
    synchronized void say(String how) {
        detail = how;
    }

    private synchronized void show() {
        if (closed || (shown && !terminal)) {
            return;
        }
        shown = true;
        long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startNanos);
        String line = "stillcut: " + what + (detail.isEmpty() ? "" : ", " + detail);
        System.err.print(terminal ? "\r\u001b[K" + line + ", " + seconds + " s" : line + " ...\n");
        System.err.flush();
    }

    @Override
    public synchronized void close() {
        closed = true;
        timer.shutdownNow();
        if (shown && terminal) {
            System.err.print("\r\u001b[K");
            System.err.flush();
        }
    }
}
