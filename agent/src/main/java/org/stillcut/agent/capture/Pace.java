package org.stillcut.agent.capture;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageSource;

/**
 * How fast RAM is read to be stored. What happens with it costs processor time in proportion, which the guests need; so this
 * bounds their loss. Thread-safe: all that go at one pace share it.
 */
public final class Pace {
    /**
     * For agents. Hashing and compressing 1 GiB takes 1.4 to 2 seconds of a processor with the store's default settings, so this
     * is about half of one.
     */
    public static final Pace DEFAULT = new Pace(256L << 20);

    /** Shorter waits are saved up, as the system's timers are not that fine. */
    private static final long LEAST_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(2);

    /** Time that may be made up for after a delay. */
    private static final long SLACK_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final double nanosPerByte;
    private long dueNanos;

    public Pace(long bytesPerSecond) {
        nanosPerByte = 1e9 / bytesPerSecond;
        dueNanos = System.nanoTime();
    }

    /** The image of the RAM, read at this pace. */
    ImageInput over(RamCapture ram) {
        return switch (ram.image()) {
            case ImageInput.Overlay(ImageSource source, var base, var present) ->
                new ImageInput.Overlay(new Paced(source), base, present);
            case ImageInput.Sparse(ImageSource source, var present, int chunkSize) ->
                new ImageInput.Sparse(new Paced(source), present, chunkSize);
            case ImageInput.Full full -> full;
            case ImageInput.Dirty dirty -> dirty;
        };
    }

    /** Books these bytes; returns how long to wait before reading them. */
    private synchronized long book(long bytes) {
        long now = System.nanoTime();
        dueNanos = Math.max(dueNanos, now - SLACK_NANOS);
        long wait = dueNanos - now;
        dueNanos += (long) (bytes * nanosPerByte);
        return wait;
    }

    private final class Paced implements ImageSource {
        private final ImageSource source;

        Paced(ImageSource source) {
            this.source = source;
        }

        @Override
        public long lengthBytes() {
            return source.lengthBytes();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws IOException {
            long wait = book(target.remaining());
            if (wait > LEAST_WAIT_NANOS) {
                try {
                    TimeUnit.NANOSECONDS.sleep(wait);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new InterruptedIOException("interrupted while RAM was stored");
                }
            }
            source.read(offsetBytes, target);
        }
    }
}
