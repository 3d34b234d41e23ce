package org.stillcut.coordinator.job;

import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.coordinator.JobState;

/**
 * Measures how long the steps of the checkpoint in progress take, as the coordinator sees them: from the command to the last
 * answer. Used by one thread.
 */
final class StepClock {
    private final LongSupplier nanoTime;
    private final Map<Step, Duration> times = new LinkedHashMap<>();
    private @Nullable CheckpointId checkpoint;
    private @Nullable Step step;
    private long began;

    StepClock(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** To be told of every state, in order. */
    void observe(JobState state) {
        Optional<JobState.Checkpointing> current =
                state instanceof JobState.Checkpointing checkpointing ? Optional.of(checkpointing) : Optional.empty();
        CheckpointId newCheckpoint = current.map(JobState.Checkpointing::id).orElse(checkpoint);
        Step newStep = current.map(JobState.Checkpointing::step).orElse(null);
        if (newCheckpoint != null && !newCheckpoint.equals(checkpoint)) {
            times.clear();
            checkpoint = newCheckpoint;
            step = null;
        }
        if (newStep == step) {
            return;
        }
        long now = nanoTime.getAsLong();
        if (step != null) {
            times.put(step, Duration.ofNanos(now - began));
        }
        step = newStep;
        began = now;
    }

    /** The steps of the newest checkpoint that are over, in their order. */
    Map<Step, Duration> times() {
        return Collections.unmodifiableMap(new LinkedHashMap<>(times));
    }

    /** How long the job stood still, or may have: from the order to freeze to the last answer to the order to go on. */
    static Duration pause(Map<Step, Duration> times) {
        return times.entrySet().stream()
                .filter(entry -> entry.getKey().disturbsJob())
                .map(Map.Entry::getValue)
                .reduce(Duration.ZERO, Duration::plus);
    }
}
