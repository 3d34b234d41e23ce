package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.progress.Progress;

/** Tells how far a long operation is: bytes, rate, time left. Thread-safe; prints a few times a second at most. */
final class ProgressLine implements Progress, AutoCloseable {
    private static final long TERMINAL_NANOS = 200_000_000;
    private static final long JSON_NANOS = 1_000_000_000;
    private static final String CLEAR = "\r\033[K";

    private final @Nullable PrintStream stream;
    private final boolean json;
    private final LongSupplier nanos;
    private String step = "";
    private long total;
    private long done;
    private long begun;
    private long printed;
    private boolean visible;

    ProgressLine(@Nullable PrintStream stream, boolean json, LongSupplier nanos) {
        this.stream = stream;
        this.json = json;
        this.nanos = nanos;
    }

    static ProgressLine terminal(PrintStream stream) {
        return new ProgressLine(stream, false, System::nanoTime);
    }

    static ProgressLine json(PrintStream stream) {
        return new ProgressLine(stream, true, System::nanoTime);
    }

    static ProgressLine none() {
        return new ProgressLine(null, false, System::nanoTime);
    }

    @Override
    public synchronized void begin(String nextStep, long totalBytes) {
        step = nextStep;
        total = totalBytes;
        done = 0;
        begun = nanos.getAsLong();
        // The first line of a step comes when the step takes long.
        printed = begun;
    }

    @Override
    public synchronized void advance(long bytes) {
        done += bytes;
        long now = nanos.getAsLong();
        if (stream != null && now - printed >= (json ? JSON_NANOS : TERMINAL_NANOS)) {
            printed = now;
            print(stream, now);
        }
    }

    private void print(PrintStream target, long now) {
        double seconds = Math.max(1e-3, (now - begun) / 1e9);
        long rate = (long) (done / seconds);
        long left = total > done && rate > 0 ? (total - done) / rate : -1;
        if (json) {
            ObjectNode line = Report.document("progress")
                    .put("step", step)
                    .put("bytes", done)
                    .put("totalBytes", total)
                    .put("bytesPerSecond", rate);
            if (left >= 0) {
                line.put("secondsLeft", left);
            }
            target.println(Report.print(line));
        } else {
            target.print(CLEAR + text(rate, left));
            target.flush();
            visible = true;
        }
    }

    private String text(long rate, long left) {
        StringBuilder text = new StringBuilder(step);
        text.append(": ").append(Quantities.readableBytes(done));
        if (total > 0) {
            text.append(
                    String.format(Locale.ROOT, " of %s, %d %%", Quantities.readableBytes(total), 100 * done / total));
        }
        text.append(", ").append(Quantities.readableBytes(rate)).append("/s");
        if (left >= 0) {
            text.append(String.format(Locale.ROOT, ", %d:%02d left", left / 60, left % 60));
        }
        return text.toString();
    }

    @Override
    public void close() {
        finish();
    }

    /** Takes the line away, before the result is printed. */
    synchronized void finish() {
        if (stream != null && visible) {
            stream.print(CLEAR);
            stream.flush();
            visible = false;
        }
    }
}
