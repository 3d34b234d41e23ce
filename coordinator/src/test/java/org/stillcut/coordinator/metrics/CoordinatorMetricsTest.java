package org.stillcut.coordinator.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stillcut.address.HostPort;
import org.stillcut.coordinator.job.Stage;
import org.stillcut.coordinator.job.StageTimes;
import org.stillcut.coordinator.membership.NodeStatus;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.coordinator.JobPhase;
import org.stillcut.protocol.coordinator.JobRecord;

class CoordinatorMetricsTest {
    private static final CheckpointId FIRST = new CheckpointId(new JobId("j"), 1);

    /** A row of the table: `name`, kind, labels. */
    private static final Pattern ROW = Pattern.compile("^\\| `(stillcut_[a-z_]+)` \\|", Pattern.MULTILINE);

    private final CoordinatorMetrics metrics = new CoordinatorMetrics();

    @BeforeEach
    void countSomething() {
        metrics.show(
                () -> List.of(JobPhase.RUNNING, JobPhase.RUNNING, JobPhase.LOST), () -> List.of(NodeStatus.State.UP));
        metrics.decided(List.of(
                new JobRecord.CheckpointBegun(FIRST),
                new JobRecord.CheckpointCommitted(FIRST),
                new JobRecord.CheckpointAborted(FIRST, new CheckpointFailure.JobEnded()),
                new JobRecord.CheckpointAborted(FIRST, new CheckpointFailure.JobEnded()),
                new JobRecord.JobLost("no room")));
        metrics.committed(
                new StageTimes(
                        Optional.empty(),
                        Map.of(Stage.PERSIST, Duration.ofSeconds(2), Stage.FREEZE, Duration.ofMillis(20))),
                4711);
    }

    private String scraped() throws IOException, InterruptedException {
        try (MetricsServer server = new MetricsServer(new HostPort("127.0.0.1", 0), metrics);
                HttpClient client = HttpClient.newHttpClient()) {
            URI address = URI.create("http://127.0.0.1:" + server.port() + "/metrics");
            return client.send(
                            HttpRequest.newBuilder(address)
                                    .timeout(Duration.ofSeconds(20))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
        }
    }

    @Test
    void prometheusReadsWhatWasCounted() throws Exception {
        assertThat(scraped().lines())
                .contains(
                        "stillcut_checkpoints_total{outcome=\"committed\"} 1.0",
                        "stillcut_checkpoints_total{outcome=\"aborted\"} 2.0",
                        "stillcut_jobs_lost_total 1.0",
                        "stillcut_restarts_total 0.0",
                        "stillcut_checkpoint_stored_bytes_total 4711.0",
                        "stillcut_checkpoint_stage_seconds_count{stage=\"persist\"} 1",
                        "stillcut_checkpoint_stage_seconds_sum{stage=\"persist\"} 2.0",
                        "stillcut_checkpoint_pause_seconds_bucket{le=\"0.01\"} 0",
                        "stillcut_checkpoint_pause_seconds_bucket{le=\"0.03\"} 1",
                        "stillcut_jobs{phase=\"running\"} 2.0",
                        "stillcut_jobs{phase=\"lost\"} 1.0",
                        "stillcut_jobs{phase=\"ended\"} 0.0",
                        "stillcut_nodes{state=\"up\"} 1.0",
                        "stillcut_nodes{state=\"silent\"} 0.0");
    }

    @Test
    void timesThatNobodyMeasuredAreNotShown() {
        metrics.committed(StageTimes.NONE, 1);
        assertThat(metrics.registry().scrape(name -> name.equals("stillcut_checkpoint_pause_seconds")).stream())
                .singleElement()
                .isInstanceOfSatisfying(
                        HistogramSnapshot.class,
                        pause -> assertThat(pause.getDataPoints().getFirst().getCount())
                                .isEqualTo(1));
    }

    @Test
    void tableForPeopleHasExactlyWhatThereIs() throws Exception {
        Set<String> shown = new TreeSet<>();
        for (MetricSnapshot metric : metrics.registry().scrape()) {
            String name = metric.getMetadata().getPrometheusName();
            shown.add(metric instanceof CounterSnapshot ? name + "_total" : name);
        }
        Set<String> written = new TreeSet<>();
        Matcher row = ROW.matcher(Files.readString(Path.of("../docs/metrics.md")));
        while (row.find()) {
            written.add(row.group(1));
        }
        assertThat(written).isEqualTo(shown);
    }

    @Test
    void othersCannotReachThePort() {
        for (String host : List.of("0.0.0.0", "10.0.0.1", "head")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new MetricsServer(new HostPort(host, 0), metrics))
                    .withMessage("--metrics " + host + ":0: on loopback only");
        }
    }
}
