package org.stillcut.coordinator.job;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.coordinator.JobState;

/** Measures how long the stages of the checkpoint in progress take. Used by one thread. */
final class StageClock {
    private final LongSupplier nanoTime;
    private final InstantSource clock;
    private final Map<Stage, Duration> times = new EnumMap<>(Stage.class);
    private @Nullable CheckpointId checkpoint;
    private @Nullable Stage stage;
    private long began;
    private Optional<Instant> first = Optional.empty();

    StageClock(LongSupplier nanoTime, InstantSource clock) {
        this.nanoTime = nanoTime;
        this.clock = clock;
    }

    /** To be told of every state, in order. */
    void observe(JobState state) {
        Optional<JobState.Checkpointing> current =
                state instanceof JobState.Checkpointing checkpointing ? Optional.of(checkpointing) : Optional.empty();
        CheckpointId newCheckpoint = current.map(JobState.Checkpointing::id).orElse(checkpoint);
        Stage newStage = current.map(Stage::of).orElse(null);
        if (newCheckpoint != null && !newCheckpoint.equals(checkpoint)) {
            times.clear();
            checkpoint = newCheckpoint;
            stage = null;
            first = Optional.of(clock.instant());
        }
        if (newStage == stage) {
            return;
        }
        long now = nanoTime.getAsLong();
        if (stage != null) {
            times.put(stage, Duration.ofNanos(now - began));
        }
        stage = newStage;
        began = now;
    }

    /** The stages of the newest checkpoint that are over. */
    StageTimes times() {
        return new StageTimes(first, times);
    }
}
