package org.stillcut.coordinator.job;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/** How long the stages of a checkpoint took, as the coordinator saw them: from the command to the last answer. */
public record StageTimes(Map<Stage, Duration> times) {
    public static final StageTimes NONE = new StageTimes(Map.of());

    public StageTimes {
        Map<Stage, Duration> ordered = new EnumMap<>(Stage.class);
        ordered.putAll(times);
        times = Collections.unmodifiableMap(ordered);
    }

    /** How long the job stood still, or may have: from the order to hold its ranks to the last answer to the order to go on. */
    public Duration pause() {
        return times.entrySet().stream()
                .filter(entry -> entry.getKey().disturbsJob())
                .map(Map.Entry::getValue)
                .reduce(Duration.ZERO, Duration::plus);
    }
}
