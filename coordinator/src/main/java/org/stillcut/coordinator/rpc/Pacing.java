package org.stillcut.coordinator.rpc;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;

/**
 * Keeps a server stream from being filled faster than the client reads, so that memory stays bounded. To be made in the
 * service method itself, before it returns.
 */
final class Pacing {
    /** A client that takes nothing for so long is treated like one that is gone. */
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final ServerCallStreamObserver<?> stream;
    private final Object readiness = new Object();

    Pacing(ServerCallStreamObserver<?> stream) {
        this.stream = stream;
        stream.setOnReadyHandler(this::wake);
        stream.setOnCancelHandler(this::wake);
    }

    /**
     * Blocks until the client can take more.
     *
     * @return false when it is gone
     */
    boolean awaitReady() {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        synchronized (readiness) {
            while (!stream.isReady() && !stream.isCancelled()) {
                long left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
                if (left <= 0) {
                    return false;
                }
                try {
                    readiness.wait(left);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return false;
                }
            }
        }
        return !stream.isCancelled();
    }

    /** The end of a stream whose client did not take it: it may come back for the rest, as after a broken connection. */
    static StatusRuntimeException tooSlow() {
        return Status.UNAVAILABLE
                .withDescription("nothing was taken for " + PATIENCE.toSeconds() + " s")
                .asRuntimeException();
    }

    private void wake() {
        synchronized (readiness) {
            readiness.notifyAll();
        }
    }
}
