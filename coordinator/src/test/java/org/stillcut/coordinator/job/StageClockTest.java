package org.stillcut.coordinator.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.coordinator.CoordinatorProtocol;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.protocol.coordinator.JobState;

class StageClockTest {
    private static final Instant MIDNIGHT = Instant.parse("2026-03-01T00:00:00Z");

    private long nanos = 1_000;
    private final StageClock clock = new StageClock(() -> nanos, () -> MIDNIGHT.plusNanos(nanos));
    private final Job job = CoordinatorProtocol.create(PlayedJob.ID, PlayedJob.onAAndB(), 0)
            .next()
            .job();

    private void step(long sequence, Step step, int millisBefore) {
        observe(sequence, step, job.placement().agents(), millisBefore);
    }

    /** All have answered the step. */
    private void watch(long sequence, Step step, int millisBefore) {
        observe(sequence, step, new TreeSet<>(), millisBefore);
    }

    private void observe(long sequence, Step step, SortedSet<AgentId> awaited, int millisBefore) {
        nanos += Duration.ofMillis(millisBefore).toNanos();
        clock.observe(new JobState.Checkpointing(
                job, new CheckpointId(job.id(), sequence), step, awaited, new TreeMap<>(), new TreeMap<>()));
    }

    private void running(int millisBefore) {
        nanos += Duration.ofMillis(millisBefore).toNanos();
        clock.observe(new JobState.Running(job));
    }

    @Test
    void everyStepTakesFromItsCommandToItsLastAnswer() {
        running(5);
        step(1, Step.PREPARE, 7);
        // One answer of several changes the state, not the step.
        step(1, Step.PREPARE, 10);
        step(1, Step.QUIESCE, 10);
        watch(1, Step.QUIESCE, 3);
        step(1, Step.FREEZE, 5);
        watch(1, Step.FREEZE, 1);
        step(1, Step.PAUSE, 6);
        step(1, Step.CAPTURE, 2);
        step(1, Step.RESUME, 4);
        step(1, Step.PERSIST, 8);
        running(100);
        StageTimes times = clock.times();
        assertThat(times.times().keySet()).containsExactly(Stage.values());
        assertThat(times.times().values())
                .extracting(Duration::toMillis)
                .isEqualTo(List.of(20L, 3L, 5L, 1L, 6L, 2L, 4L, 8L, 100L));
        assertThat(times.pause()).isEqualTo(Duration.ofMillis(29));
        Instant began = MIDNIGHT.plusNanos(1_000).plusMillis(12);
        assertThat(times.beginOf(Stage.PREPARE)).hasValue(began);
        assertThat(times.beginOf(Stage.PAUSE)).hasValue(began.plusMillis(35));
        assertThat(times.beginOf(Stage.RESUME)).hasValue(began.plusMillis(41));
    }

    @Test
    void nextCheckpointBeginsAnew() {
        step(1, Step.PREPARE, 0);
        step(1, Step.FREEZE, 3);
        running(3);
        assertThat(clock.times().times().keySet()).containsExactly(Stage.PREPARE, Stage.FREEZE);
        step(2, Step.PREPARE, 50);
        Instant second = MIDNIGHT.plusNanos(nanos);
        assertThat(clock.times()).isEqualTo(new StageTimes(Optional.of(second), Map.of()));
        running(9);
        assertThat(clock.times())
                .isEqualTo(new StageTimes(Optional.of(second), Map.of(Stage.PREPARE, Duration.ofMillis(9))));
    }

    @Test
    void timeBetweenCheckpointsCountsForNone() {
        step(1, Step.PREPARE, 0);
        running(1);
        running(1_000);
        assertThat(clock.times())
                .isEqualTo(new StageTimes(
                        Optional.of(MIDNIGHT.plusNanos(1_000)), Map.of(Stage.PREPARE, Duration.ofMillis(1))));
    }

    @Test
    void noStepsNoPause() {
        assertThat(StageTimes.NONE.pause()).isZero();
    }
}
