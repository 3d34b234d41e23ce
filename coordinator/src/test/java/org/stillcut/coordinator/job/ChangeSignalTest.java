package org.stillcut.coordinator.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ChangeSignalTest {
    private final ChangeSignal signal = new ChangeSignal();

    @Test
    void changeBeforeTheWaitIsNotMissed() throws InterruptedException {
        long seen = signal.version();
        signal.raise();
        signal.await(seen, Duration.ofDays(1));
        assertThat(signal.version()).isNotEqualTo(seen);
    }

    @Test
    void waitEndsWithItsTime() throws InterruptedException {
        long seen = signal.version();
        signal.await(seen, Duration.ofMillis(20));
        signal.await(seen, Duration.ZERO);
        assertThat(signal.version()).isEqualTo(seen);
    }

    @Test
    void oneChangeWakesAllWhoWait() throws InterruptedException {
        long seen = signal.version();
        CountDownLatch woken = new CountDownLatch(3);
        for (int i = 0; i < 3; i++) {
            Thread.ofVirtual().name("waiter-" + i).start(() -> {
                try {
                    signal.await(seen, Duration.ofDays(1));
                    woken.countDown();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        }
        signal.raise();
        assertThat(woken.await(30, TimeUnit.SECONDS)).isTrue();
    }
}
