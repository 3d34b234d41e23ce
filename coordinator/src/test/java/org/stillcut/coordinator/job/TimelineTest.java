package org.stillcut.coordinator.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.stillcut.coordinator.SteppingClock;

class TimelineTest {
    private final SteppingClock clock = new SteppingClock();
    private final Timeline timeline = new Timeline(clock);

    @Test
    void entriesAreNumberedAndDated() {
        Instant start = clock.instant();
        timeline.add("first");
        clock.advance(Duration.ofSeconds(2));
        timeline.add("second");
        assertThat(timeline.since(0))
                .containsExactly(
                        new Timeline.Entry(0, start, "first"), new Timeline.Entry(1, start.plusSeconds(2), "second"));
        assertThat(timeline.count()).isEqualTo(2);
    }

    @Test
    void readerThatRemembersItsPlaceGetsOnlyWhatIsNew() {
        timeline.add("old");
        long next = timeline.count();
        assertThat(timeline.since(next)).isEmpty();
        timeline.add("new");
        assertThat(timeline.since(next)).extracting(Timeline.Entry::text).containsExactly("new");
    }

    @Test
    void oldestEntriesGoFirstAndNumbersGrowOn() {
        for (int i = 0; i < 1_500; i++) {
            timeline.add("entry " + i);
        }
        assertThat(timeline.since(0)).hasSize(1_000);
        assertThat(timeline.since(0).getFirst().text()).isEqualTo("entry 500");
        assertThat(timeline.since(1_499)).extracting(Timeline.Entry::text).containsExactly("entry 1499");
        assertThat(timeline.count()).isEqualTo(1_500);
    }
}
