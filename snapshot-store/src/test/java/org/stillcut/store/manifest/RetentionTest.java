package org.stillcut.store.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.stillcut.store.CheckpointMark;

class RetentionTest {

    private static final Instant START = Instant.parse("2026-03-02T00:10:00Z");

    /** One every twenty minutes, numbered from 0. */
    private static List<Retention.Candidate> every20Minutes(int count) {
        List<Retention.Candidate> candidates = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            candidates.add(new Retention.Candidate(i, START.plus(Duration.ofMinutes(20L * i)), CheckpointMark.NONE));
        }
        return candidates;
    }

    private static Retention keep(int last, int hourly, int daily, int weekly) {
        return new Retention(last, hourly, daily, weekly, Optional.empty(), new TreeSet<>());
    }

    private static List<Long> kept(Retention retention, List<Retention.Candidate> candidates) {
        List<Long> kept = new ArrayList<>();
        candidates.forEach(candidate -> kept.add(candidate.sequence()));
        kept.removeAll(retention.forgettable(candidates));
        return kept;
    }

    @Test
    void keepsTheNewest() {
        assertThat(kept(keep(2, 0, 0, 0), every20Minutes(10))).containsExactly(8L, 9L);
        assertThat(kept(keep(20, 0, 0, 0), every20Minutes(10))).hasSize(10);
    }

    @Test
    void keepsTheNewestOfEachPeriod() {
        // 00:10, 00:30, 00:50, 01:10, …
        assertThat(kept(keep(0, 2, 0, 0), every20Minutes(8))).containsExactly(5L, 7L);
        assertThat(kept(keep(0, 0, 2, 0), every20Minutes(100))).containsExactly(71L, 99L);
        assertThat(kept(keep(0, 0, 0, 2), every20Minutes(600))).containsExactly(503L, 599L);
        assertThat(kept(keep(1, 2, 2, 0), every20Minutes(100))).containsExactly(71L, 98L, 99L);
    }

    @Test
    void keepsWhatIsNotMuchOlderThanTheNewest() {
        Retention retention = new Retention(0, 0, 0, 0, Optional.of(Duration.ofMinutes(40)), new TreeSet<>());
        assertThat(kept(retention, every20Minutes(10))).containsExactly(7L, 8L, 9L);
    }

    @Test
    void keepsProtectedAndTagged() {
        List<Retention.Candidate> candidates = every20Minutes(4);
        candidates.set(0, new Retention.Candidate(0, START, CheckpointMark.NONE.withProtection(true)));
        candidates.set(
                1, new Retention.Candidate(1, START, CheckpointMark.NONE.withTags(new TreeSet<>(List.of("a", "b")))));
        assertThat(kept(keep(1, 0, 0, 0), candidates)).containsExactly(0L, 3L);
        Retention tagged = new Retention(0, 0, 0, 0, Optional.empty(), new TreeSet<>(List.of("b")));
        assertThat(kept(tagged, candidates)).containsExactly(0L, 1L);
    }

    @Test
    void noRuleKeepsNothingAndSaysSo() {
        assertThat(keep(0, 0, 0, 0).isEmpty()).isTrue();
        assertThat(keep(0, 0, 0, 1).isEmpty()).isFalse();
        assertThat(keep(1, 0, 0, 0).forgettable(List.of())).isEmpty();
    }
}
