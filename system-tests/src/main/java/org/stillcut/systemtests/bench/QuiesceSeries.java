package org.stillcut.systemtests.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.stillcut.systemtests.Cluster;
import org.stillcut.systemtests.Commands;
import org.stillcut.systemtests.DemoProgram;
import org.stillcut.systemtests.MpirunRun;

/**
 * A series of checkpoints of the storm, one VM for each rank, on two nodes.
 *
 * @param records what the coordinator recorded of those that were taken
 * @param refused how many were not
 */
record QuiesceSeries(int vms, List<JsonNode> records, int refused) {
    private static final Duration LAUNCH = Duration.ofMinutes(3);

    /** More than any series needs: what is left is cancelled. */
    private static final String MESSAGES = "50000000";

    /** Of which the pause consists, in their order. */
    private static final List<String> STAGES =
            List.of("quiesce", "drain", "freeze", "verify", "pause", "capture", "resume");

    /** Milliseconds; the gate's closing until the traffic rests, and until the job goes on. */
    record Aims(double quietMedian, double quietP95, double pauseMedian, double pauseP95) {}

    static QuiesceSeries storm(Path root, int vms, int checkpoints) throws Exception {
        List<JsonNode> records = new ArrayList<>();
        int refused = 0;
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 2, vms / 2))) {
            Path directory = Files.createDirectory(cluster.home().resolve("job"));
            DemoProgram.STORM.stage(root.resolve("build"), directory);
            String ranks = Integer.toString(vms);
            List<String> storm = List.of("--ckpt", "-np", ranks, "./storm", "--messages", MESSAGES);
            try (MpirunRun run = cluster.mpirun(directory, storm)) {
                String job = run.jobId(LAUNCH);
                run.awaitStdout("the storm's first line", LAUNCH, DemoProgram.STORM::isProgress);
                for (int i = 0; i < checkpoints; i++) {
                    Commands.Result result = cluster.stillcut("checkpoint", job, "--json");
                    if (result.exitStatus() == 0) {
                        records.add(new ObjectMapper().readTree(result.stdout()).path("checkpoint"));
                    } else {
                        refused++;
                        System.err.print(result.stderr());
                    }
                }
                cluster.stillcut("cancel", job);
            }
        }
        if (records.isEmpty()) {
            throw new IllegalStateException("none of " + checkpoints + " checkpoints was taken");
        }
        return new QuiesceSeries(vms, records, refused);
    }

    void report(BenchReport report, Aims aims) {
        List<Double> quiet = each(record -> millis(record, "quiesce") + millis(record, "drain"));
        value(report, "time_to_quiet_ms", "p50", quiet, aims.quietMedian);
        value(report, "time_to_quiet_ms", "p95", quiet, aims.quietP95);
        List<Double> pause = each(record ->
                STAGES.stream().mapToDouble(stage -> millis(record, stage)).sum());
        value(report, "pause_ms", "p50", pause, aims.pauseMedian);
        value(report, "pause_ms", "p95", pause, aims.pauseP95);
        List<Double> rest = each(record -> STAGES.stream()
                .filter(stage -> !stage.equals("capture"))
                .mapToDouble(stage -> millis(record, stage))
                .sum());
        value(report, "pause_without_capture_ms", "p50", rest, aims.pauseMedian);
        value(report, "pause_without_capture_ms", "p95", rest, aims.pauseP95);
        for (String stage : STAGES) {
            List<Double> times = each(record -> millis(record, stage));
            report.value(name("stage_" + stage + "_ms", "p50"), BenchReport.quantile(times, 0.5), "ms", times.size());
        }
        rounds(report, "drain");
        rounds(report, "verify");
        int all = records.size() + refused;
        long forced = records.stream()
                .filter(record -> record.path("quiescence").path("forced").asBoolean())
                .count();
        report.value(name("drain_forced", "share"), 100.0 * forced / records.size(), "%", records.size());
        // The other way round it would be "verified at the first attempt", at least 99 %.
        report.value(name("not_verified_at_first_attempt", "share"), 100.0 * refused / all, "%", all, 1);
    }

    private void rounds(BenchReport report, String stage) {
        List<Double> rounds =
                each(record -> record.path("quiescence").path(stage + "Rounds").asDouble());
        report.value(name(stage + "_rounds", "p50"), BenchReport.quantile(rounds, 0.5), "", rounds.size());
        List<Double> each = each(record -> millis(record, stage)
                / Math.max(1, record.path("quiescence").path(stage + "Rounds").asDouble()));
        report.value(name(stage + "_round_ms", "p50"), BenchReport.quantile(each, 0.5), "ms", each.size());
    }

    private void value(BenchReport report, String metric, String which, List<Double> values, double aim) {
        double share = which.equals("p50") ? 0.5 : 0.95;
        report.value(name(metric, which), BenchReport.quantile(values, share), "ms", values.size(), aim);
    }

    private String name(String metric, String which) {
        return metric + "_storm_" + vms + "vms_" + which;
    }

    private List<Double> each(ToDoubleFunction<JsonNode> of) {
        return records.stream().map(of::applyAsDouble).toList();
    }

    private static double millis(JsonNode record, String stage) {
        return record.path("stepMicros").path(stage).asDouble() / 1000;
    }
}
