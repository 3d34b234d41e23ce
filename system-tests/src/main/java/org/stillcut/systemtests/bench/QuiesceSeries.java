package org.stillcut.systemtests.bench;

import io.grpc.StatusRuntimeException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.function.ToIntFunction;
import org.stillcut.systemtests.CheckpointCaller;
import org.stillcut.systemtests.Cluster;
import org.stillcut.systemtests.DemoProgram;
import org.stillcut.systemtests.MpirunRun;
import org.stillcut.v1.Checkpoint;
import org.stillcut.v1.Quiescence;
import org.stillcut.v1.StepTime;

/**
 * A series of checkpoints of the storm, one VM for each rank, on two nodes.
 *
 * @param records what the coordinator recorded of those that were taken
 * @param refused how many were not
 */
record QuiesceSeries(int vms, List<Checkpoint> records, int refused) {
    private static final Duration LAUNCH = Duration.ofMinutes(3);

    /** Checkpoints after which the times do not fall any more; they are reported apart. */
    static final int WARM_UP = 40;

    /** More than any series needs: what is left is cancelled. */
    private static final String MESSAGES = "50000000";

    /** Of which the pause consists, in their order. */
    private static final List<String> STAGES =
            List.of("quiesce", "drain", "freeze", "verify", "pause", "capture", "resume");

    /** Milliseconds; the gate's closing until the traffic rests, and until the job goes on. */
    record Aims(double quietMedian, double quietP95, double pauseMedian, double pauseP95) {}

    static QuiesceSeries storm(Path root, int vms, int checkpoints) throws Exception {
        List<Checkpoint> records = new ArrayList<>();
        int refused = 0;
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 2, vms / 2))) {
            Path directory = Files.createDirectory(cluster.home().resolve("job"));
            DemoProgram.STORM.stage(root.resolve("build"), directory);
            String ranks = Integer.toString(vms);
            List<String> storm = List.of("--ckpt", "-np", ranks, "./storm", "--messages", MESSAGES);
            try (MpirunRun run = cluster.mpirun(directory, storm);
                    CheckpointCaller coordinator = new CheckpointCaller(cluster.socket())) {
                String job = run.jobId(LAUNCH);
                run.awaitStdout("the storm's first line", LAUNCH, DemoProgram.STORM::isProgress);
                for (int i = 0; i < checkpoints; i++) {
                    try {
                        records.add(coordinator.checkpoint(job));
                    } catch (StatusRuntimeException e) {
                        refused++;
                        System.err.println(e.getStatus().getDescription());
                    }
                }
                cluster.stillcut("cancel", job);
            }
        }
        if (records.size() <= WARM_UP) {
            throw new IllegalStateException(records.size() + " of " + checkpoints + " checkpoints were taken");
        }
        return new QuiesceSeries(vms, records, refused);
    }

    void report(BenchReport report, Aims aims) {
        List<Double> first = pauses(records.subList(0, WARM_UP));
        report.value(name("pause_ms_first_" + WARM_UP, "p50"), BenchReport.quantile(first, 0.5), "ms", first.size());
        List<Double> quiet = each(record -> millis(record, "quiesce") + millis(record, "drain"));
        value(report, "time_to_quiet_ms", "p50", quiet, aims.quietMedian);
        value(report, "time_to_quiet_ms", "p95", quiet, aims.quietP95);
        List<Double> pause = pauses(warm());
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
        rounds(report, "drain", Quiescence::getDrainRounds);
        rounds(report, "verify", Quiescence::getVerifyRounds);
        int all = records.size() + refused;
        long forced = records.stream()
                .filter(record -> !record.getQuiescence().getForcedBecause().isEmpty())
                .count();
        report.value(name("drain_forced", "share"), 100.0 * forced / records.size(), "%", records.size());
        // The other way round it would be "verified at the first attempt", at least 99 %.
        report.value(name("not_verified_at_first_attempt", "share"), 100.0 * refused / all, "%", all, 1);
    }

    private void rounds(BenchReport report, String stage, ToIntFunction<Quiescence> of) {
        List<Double> rounds = each(record -> of.applyAsInt(record.getQuiescence()));
        report.value(name(stage + "_rounds", "p50"), BenchReport.quantile(rounds, 0.5), "", rounds.size());
        List<Double> each = each(record -> millis(record, stage) / Math.max(1, of.applyAsInt(record.getQuiescence())));
        report.value(name(stage + "_round_ms", "p50"), BenchReport.quantile(each, 0.5), "ms", each.size());
    }

    private void value(BenchReport report, String metric, String which, List<Double> values, double aim) {
        double share = which.equals("p50") ? 0.5 : 0.95;
        report.value(name(metric, which), BenchReport.quantile(values, share), "ms", values.size(), aim);
    }

    private String name(String metric, String which) {
        return metric + "_storm_" + vms + "vms_" + which;
    }

    /** All but the first: the daemons' code is compiled while they are taken. */
    private List<Checkpoint> warm() {
        return records.subList(WARM_UP, records.size());
    }

    private List<Double> each(ToDoubleFunction<Checkpoint> of) {
        return warm().stream().map(of::applyAsDouble).toList();
    }

    private static List<Double> pauses(List<Checkpoint> checkpoints) {
        return checkpoints.stream()
                .map(record -> STAGES.stream()
                        .mapToDouble(stage -> millis(record, stage))
                        .sum())
                .toList();
    }

    private static double millis(Checkpoint record, String stage) {
        return record.getStepsList().stream()
                        .filter(step -> step.getStep().equals(stage))
                        .mapToDouble(StepTime::getMicros)
                        .sum()
                / 1000;
    }
}
