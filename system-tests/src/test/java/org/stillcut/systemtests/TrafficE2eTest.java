package org.stillcut.systemtests;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whatever the ranks of a job are doing, checkpoints of it are committed and nobody notices: four nodes of one VM each, one
 * job after the other.
 */
@Tag("e2e")
class TrafficE2eTest {
    private static final int NODES = 4;
    private static final List<String> EVERY_TWO_SECONDS = List.of("--ckpt-interval", "2s");
    private static final List<String> ON_DEMAND = List.of("--ckpt");

    private static final int SHORT_SECONDS = 6;
    private static final int SHORT_CHECKPOINTS = 2;
    private static final int SECONDS = 20;
    private static final int CHECKPOINTS = 6;

    private static final int LONG_SECONDS = 120;
    private static final int LONG_CHECKPOINTS = 40;

    private static final int SERIES = 100;
    private static final int SAMPLE = 5;
    private static final int SAMPLE_SECONDS = 600;

    private static Cluster cluster;

    @BeforeAll
    static void startCluster() throws Exception {
        cluster = Cluster.start(Cluster.projectRoot(), Cluster.Options.of(Cluster.projectRoot(), NODES, 1));
    }

    @AfterAll
    static void endCluster() throws Exception {
        if (cluster != null) {
            cluster.close();
        }
    }

    /** Those that no other test in VMs resembles. */
    @ParameterizedTest
    @EnumSource(names = {"THREADS", "ONESIDED", "SPAWN"})
    void checkpointsDoNotDisturb(TrafficPattern pattern) throws Exception {
        play(pattern, SHORT_SECONDS, SHORT_CHECKPOINTS);
    }

    @Tag("full")
    @ParameterizedTest
    @EnumSource
    void manyCheckpointsDoNotDisturb(TrafficPattern pattern) throws Exception {
        play(pattern, SECONDS, CHECKPOINTS);
    }

    @Tag("full")
    @Test
    void checkpointsTwoSecondsApartForTwoMinutesDoNotDisturbTheStorm() throws Exception {
        play(TrafficPattern.STORM, LONG_SECONDS, LONG_CHECKPOINTS);
    }

    @Tag("full")
    @ParameterizedTest
    @EnumSource(names = {"STORM", "STENCIL_EAGER", "STENCIL_RENDEZVOUS"})
    void aHundredCheckpointsInARowDoNotDisturb(TrafficPattern pattern) throws Exception {
        int seconds = secondsOfSeries(pattern);
        try (CheckpointedTraffic traffic = CheckpointedTraffic.start(cluster, pattern, ON_DEMAND, seconds)) {
            traffic.checkpoint(SERIES);
            traffic.requireExactEnd(SERIES, Duration.ofMinutes(20));
        }
    }

    /** How long a job must play to outlast the series on this machine, with half as much again to spare. */
    private static int secondsOfSeries(TrafficPattern pattern) throws Exception {
        try (CheckpointedTraffic traffic = CheckpointedTraffic.start(cluster, pattern, ON_DEMAND, SAMPLE_SECONDS)) {
            long sampleMillis = traffic.checkpoint(SAMPLE).toMillis();
            return (int) (sampleMillis * SERIES / SAMPLE * 3 / 2 / 1000);
        }
    }

    private static void play(TrafficPattern pattern, int seconds, int checkpoints) throws Exception {
        try (CheckpointedTraffic traffic = CheckpointedTraffic.start(cluster, pattern, EVERY_TWO_SECONDS, seconds)) {
            traffic.requireExactEnd(checkpoints, Duration.ofMinutes(5));
        }
    }
}
