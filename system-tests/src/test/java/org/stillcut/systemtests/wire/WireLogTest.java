package org.stillcut.systemtests.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.stillcut.systemtests.wire.WireLog.Held;

class WireLogTest {
    private static final Segment.Flow FORTH = new Segment.Flow(1, 1000, 2, 2000);
    private static final Segment.Flow BACK = FORTH.reversed();

    private final WireLog log = new WireLog();

    private static Segment data(int sequence, int bytes) {
        return new Segment(FORTH, sequence, bytes, false, true, 0);
    }

    private void acknowledged(int upTo, long micros) {
        log.left(log.entered(new Segment(BACK, 0, 0, false, true, upTo), micros), micros + 1);
    }

    private Held during(long from, long to) {
        log.looked(from, to);
        return log.during(from, to);
    }

    @Test
    void whatIsHeldAtAnyMomentOfTheIntervalCounts() {
        log.left(log.entered(data(100, 10), 50), 60);
        log.left(log.entered(data(110, 20), 55), 65);
        log.entered(data(130, 40), 70);
        assertThat(during(61, 69).freshBytes()).isEqualTo(20);
        assertThat(during(66, 69)).isEqualTo(new Held(true, 0, 0, List.of()));
        assertThat(during(60, 70).freshBytes()).isEqualTo(70);
        assertThat(during(80, 90).freshBytes()).isEqualTo(40);
    }

    @Test
    void bytesAreRepeatedOnlyIfTheyWereAcknowledgedBefore() {
        log.entered(data(100, 10), 50);
        acknowledged(110, 60);
        assertThat(during(61, 70).repeatedBytes()).isEqualTo(10);
        assertThat(during(60, 70).repeatedBytes()).isZero();
        assertThat(during(60, 70).freshBytes()).isEqualTo(10);
        acknowledged(105, 62);
        log.forgetBefore(63);
        assertThat(during(63, 70).repeatedBytes()).isEqualTo(10);
    }

    @Test
    void aNewConnectionOfTheSamePortsBeginsAnew() {
        acknowledged(1000, 10);
        log.entered(new Segment(FORTH, 5, 0, true, false, 0), 20);
        log.entered(data(6, 10), 30);
        assertThat(during(30, 40).freshBytes()).isEqualTo(10);
    }

    @Test
    void anIntervalInWhichNobodyLookedIsNotObserved() {
        log.looked(10, 30);
        assertThat(log.during(20, 40).observed()).isFalse();
        assertThat(log.during(10, 30).observed()).isTrue();
    }
}
