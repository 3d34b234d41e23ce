package org.stillcut.coordinator.job;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/**
 * How long the stages of a checkpoint took, as the coordinator saw them: from the command to the last answer.
 *
 * @param began when the first of them began, by the coordinator's clock; each of the others began when the one before it ended
 */
public record StageTimes(Optional<Instant> began, Map<Stage, Duration> times) {
    public static final StageTimes NONE = new StageTimes(Optional.empty(), Map.of());

    public StageTimes {
        Map<Stage, Duration> ordered = new EnumMap<>(Stage.class);
        ordered.putAll(times);
        times = Collections.unmodifiableMap(ordered);
    }

    /** When a stage began, by the coordinator's clock; empty when that was not recorded. */
    public Optional<Instant> beginOf(Stage stage) {
        Duration before = times.entrySet().stream()
                .filter(entry -> entry.getKey().compareTo(stage) < 0)
                .map(Map.Entry::getValue)
                .reduce(Duration.ZERO, Duration::plus);
        return began.map(first -> first.plus(before));
    }

    /** From the first stage to the end of the last. */
    public Duration whole() {
        return times.values().stream().reduce(Duration.ZERO, Duration::plus);
    }

    /** How long the job stood still, or may have: from the order to hold its ranks to the last answer to the order to go on. */
    public Duration pause() {
        return times.entrySet().stream()
                .filter(entry -> entry.getKey().disturbsJob())
                .map(Map.Entry::getValue)
                .reduce(Duration.ZERO, Duration::plus);
    }
}
