package org.stillcut.coordinator.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.coordinator.CoordinatorProtocol;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.protocol.coordinator.JobState;

class StepClockTest {
    private long nanos = 1_000;
    private final StepClock clock = new StepClock(() -> nanos);
    private final Job job = CoordinatorProtocol.create(PlayedJob.ID, PlayedJob.onAAndB(), 0)
            .next()
            .job();

    private void step(long sequence, Step step, int millisBefore) {
        nanos += Duration.ofMillis(millisBefore).toNanos();
        clock.observe(new JobState.Checkpointing(
                job, new CheckpointId(job.id(), sequence), step, job.placement().agents(), new TreeMap<>()));
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
        step(1, Step.FREEZE, 10);
        step(1, Step.PAUSE, 1);
        step(1, Step.CAPTURE, 2);
        step(1, Step.RESUME, 4);
        step(1, Step.PERSIST, 8);
        running(100);
        Map<Step, Duration> times = clock.times();
        assertThat(times.keySet()).containsExactlyElementsOf(Step.CHECKPOINT_ORDER);
        assertThat(times.values()).extracting(Duration::toMillis).isEqualTo(List.of(20L, 1L, 2L, 4L, 8L, 100L));
        assertThat(StepClock.pause(times)).isEqualTo(Duration.ofMillis(15));
    }

    @Test
    void nextCheckpointBeginsAnew() {
        step(1, Step.PREPARE, 0);
        step(1, Step.FREEZE, 3);
        running(3);
        assertThat(clock.times().keySet()).containsExactly(Step.PREPARE, Step.FREEZE);
        step(2, Step.PREPARE, 50);
        assertThat(clock.times()).isEmpty();
        running(9);
        assertThat(clock.times()).isEqualTo(Map.of(Step.PREPARE, Duration.ofMillis(9)));
    }

    @Test
    void timeBetweenCheckpointsCountsForNone() {
        step(1, Step.PREPARE, 0);
        running(1);
        running(1_000);
        assertThat(clock.times()).isEqualTo(Map.of(Step.PREPARE, Duration.ofMillis(1)));
    }

    @Test
    void noStepsNoPause() {
        assertThat(StepClock.pause(Map.of())).isZero();
    }
}
