package org.stillcut.agent.qemu;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/**
 * Catches the first event that matches, from the moment of its creation: create it <em>before</em> the command that
 * causes the event, then no event can be missed between the command's answer and the wait. Thread-safe.
 */
public final class EventWatch implements AutoCloseable {

    private final String what;
    private final Predicate<QmpEvent> predicate;
    private final QmpClient client;
    private final CompletableFuture<QmpEvent> found = new CompletableFuture<>();

    EventWatch(QmpClient client, String what, Predicate<QmpEvent> predicate) {
        this.client = client;
        this.what = what;
        this.predicate = predicate;
    }

    /**
     * Waits for the event; may be called again and then gives the same event.
     *
     * @throws QmpTimeoutException if it did not come within the deadline
     * @throws QmpClosedException if the connection ended first
     */
    public QmpEvent await(Duration deadline) throws QmpException, InterruptedException {
        try {
            return found.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new QmpTimeoutException(what, deadline);
        } catch (ExecutionException e) {
            throw new QmpClosedException("the QMP connection ended before the " + what, e);
        }
    }

    void offer(QmpEvent event) {
        if (!found.isDone() && predicate.test(event)) {
            found.complete(event);
        }
    }

    void fail(QmpClosedException cause) {
        found.completeExceptionally(cause);
    }

    @Override
    public void close() {
        client.forget(this);
    }
}
