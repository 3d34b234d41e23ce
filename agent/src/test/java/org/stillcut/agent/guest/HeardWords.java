package org.stillcut.agent.guest;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/** Keeps what a guest says without being asked, as lines of text. */
final class HeardWords implements GuestListener {
    private static final int MOST_WORDS = 10_000;

    private final BlockingQueue<String> words = new ArrayBlockingQueue<>(MOST_WORDS);

    @Override
    public void output(int stream, long offset, byte[] data) {
        words.add(stream + "@" + offset + ":" + new String(data, StandardCharsets.UTF_8));
    }

    @Override
    public void exited(int exitStatus) {
        words.add("exited " + exitStatus);
    }

    String next() throws InterruptedException {
        String word = words.poll(10, TimeUnit.SECONDS);
        if (word == null) {
            throw new AssertionError("the guest was not heard");
        }
        return word;
    }

    boolean isSilentFor(Duration time) throws InterruptedException {
        return words.poll(time.toMillis(), TimeUnit.MILLISECONDS) == null;
    }
}
