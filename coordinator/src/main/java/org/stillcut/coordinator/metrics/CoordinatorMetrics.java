package org.stillcut.coordinator.metrics;

import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.stillcut.coordinator.job.StageTimes;
import org.stillcut.coordinator.membership.NodeStatus;
import org.stillcut.protocol.coordinator.JobPhase;
import org.stillcut.protocol.coordinator.JobRecord;

/**
 * What the coordinator counts, since it started. Labels have few values: no metric names a job, as jobs come and go for ever. The
 * table for people is docs/metrics.md. Thread-safe.
 */
public final class CoordinatorMetrics {
    /** From a VM that stands still for milliseconds to a first checkpoint that copies whole images. */
    private static final double[] SECONDS = {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000};

    private static final String OUTCOME = "outcome";

    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final Counter checkpoints = Counter.builder()
            .name("stillcut_checkpoints")
            .help("Checkpoints that were begun, by what has become of them.")
            .labelNames(OUTCOME)
            .register(registry);
    private final Histogram stages = Histogram.builder()
            .name("stillcut_checkpoint_stage_seconds")
            .help("Time of the stages of committed checkpoints, over all VMs.")
            .labelNames("stage")
            .classicOnly()
            .classicUpperBounds(SECONDS)
            .register(registry);
    private final Histogram pauses = Histogram.builder()
            .name("stillcut_checkpoint_pause_seconds")
            .help("Time for which jobs stood still, or may have, for committed checkpoints.")
            .classicOnly()
            .classicUpperBounds(SECONDS)
            .register(registry);
    private final Counter storedBytes = Counter.builder()
            .name("stillcut_checkpoint_stored_bytes")
            .help("What committed checkpoints have added to the repository.")
            .register(registry);
    private final Counter restarts = Counter.builder()
            .name("stillcut_restarts")
            .help("Restarts of jobs.")
            .register(registry);
    private final Counter lost = Counter.builder()
            .name("stillcut_jobs_lost")
            .help("Jobs that were given up.")
            .register(registry);

    /** Begins at zero, so that a scraper sees the first of each. */
    public CoordinatorMetrics() {
        checkpoints.initLabelValues("committed");
        checkpoints.initLabelValues("aborted");
    }

    /** Shows how many jobs and nodes there are whenever somebody asks. */
    public void show(Supplier<List<JobPhase>> jobs, Supplier<List<NodeStatus.State>> nodes) {
        gauge("stillcut_jobs", "Jobs that the coordinator knows, by phase.", "phase", JobPhase.class, jobs);
        gauge(
                "stillcut_nodes",
                "Nodes that have joined, by the state of their lease.",
                "state",
                NodeStatus.State.class,
                nodes);
    }

    private <E extends Enum<E>> void gauge(
            String name, String help, String label, Class<E> kind, Supplier<List<E>> present) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .labelNames(label)
                .callback(callback -> {
                    Map<E, Integer> counts = new EnumMap<>(kind);
                    present.get().forEach(each -> counts.merge(each, 1, Integer::sum));
                    for (E value : kind.getEnumConstants()) {
                        callback.call(counts.getOrDefault(value, 0), word(value));
                    }
                })
                .register(registry);
    }

    /** Decisions that were made. */
    public void decided(List<JobRecord> records) {
        for (JobRecord record : records) {
            if (record instanceof JobRecord.CheckpointCommitted) {
                checkpoints.labelValues("committed").inc();
            } else if (record instanceof JobRecord.CheckpointAborted) {
                checkpoints.labelValues("aborted").inc();
            } else if (record instanceof JobRecord.RestartDecided) {
                restarts.inc();
            } else if (record instanceof JobRecord.JobLost) {
                lost.inc();
            }
        }
    }

    /**
     * A checkpoint was committed.
     *
     * @param times empty if they were not measured, since another coordinator began it
     */
    public void committed(StageTimes times, long bytes) {
        storedBytes.inc(bytes);
        if (times.times().isEmpty()) {
            return;
        }
        times.times().forEach((stage, time) -> stages.labelValues(word(stage)).observe(seconds(time)));
        pauses.observe(seconds(times.pause()));
    }

    PrometheusRegistry registry() {
        return registry;
    }

    private static double seconds(Duration time) {
        return time.toNanos() / 1e9;
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
