package org.stillcut.agent.guest;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A request on its way to the guest. The guest does requests in the order in which they were made and answers each, so several may be
 * on their way: that takes the time of one. Closed without having been awaited, the answer is ignored when it comes.
 */
public final class GuestCall implements AutoCloseable {
    private final GuestChannel channel;
    private final int expected;
    private final CompletableFuture<GuestFrame> answer;
    private final Duration timeout;
    private final long asked = System.nanoTime();
    private final Runnable forget;

    GuestCall(
            GuestChannel channel,
            int expected,
            CompletableFuture<GuestFrame> answer,
            Duration timeout,
            Runnable forget) {
        this.channel = channel;
        this.expected = expected;
        this.answer = answer;
        this.timeout = timeout;
        this.forget = forget;
    }

    /** Waits for the answer until the time is over, counted from when it was asked. */
    public GuestFrame await() throws GuestException {
        try {
            long left = timeout.toNanos() - (System.nanoTime() - asked);
            GuestFrame reply = answer.get(left, TimeUnit.NANOSECONDS);
            if (reply.type() == GuestMessages.ERROR) {
                throw refusal(reply);
            }
            if (reply.type() != expected) {
                throw new GuestException(
                        channel.name() + ": unexpected answer " + reply.type() + " instead of " + expected);
            }
            return reply;
        } catch (TimeoutException e) {
            throw new GuestException(
                    channel.name() + ": the guest daemon did not answer within " + timeout.toMillis() + " ms", e);
        } catch (ExecutionException e) {
            throw new GuestException(channel.name() + ": the guest channel is broken", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new GuestException(channel.name() + ": interrupted while the guest daemon was asked", e);
        } finally {
            close();
        }
    }

    private GuestException refusal(GuestFrame reply) throws GuestException {
        return channel.parse(reply, payload -> {
            int errno = payload.getInt();
            String words = GuestChannel.printable(GuestMessages.string(payload));
            return new GuestException(channel.name() + ": " + words, errno);
        });
    }

    @Override
    public void close() {
        forget.run();
    }
}
