package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stillcut.v1.Checkpoint;

/** One job of a pattern of traffic on four VMs, started and making progress, and what must be true when it has ended. */
final class CheckpointedTraffic implements AutoCloseable {
    private static final int VMS = 4;
    private static final Duration STEP = Duration.ofMinutes(3);

    /** Of an undisturbed run: this machine is many times faster than VMs without KVM. */
    private static final Duration PLAIN_RUN = Duration.ofMinutes(5);

    private static final Pattern RESULT_OF_TRAFFIC =
            Pattern.compile("traffic: ok \\w+ ranks \\d+ rounds (\\d+) verified [1-9]\\d* checksum [0-9a-f]{16}");
    private static final Pattern RESULT_OF_STORM = Pattern.compile("storm: ok sent (\\d+) received (\\d+)");
    private static final Pattern SETTLED = Pattern.compile(".*: checkpoint (\\d+) (is committed|failed: ).*");

    /** A checkpoint of a job that ends meanwhile cannot be committed; that is no fault. */
    private static final String ENDED_FIRST = "failed: the job ended first";

    private final Cluster cluster;
    private final TrafficPattern pattern;
    private final Path directory;
    private final MpirunRun run;
    private final long began;

    private CheckpointedTraffic(Cluster cluster, TrafficPattern pattern, Path directory, MpirunRun run) {
        this.began = System.nanoTime();
        this.cluster = cluster;
        this.pattern = pattern;
        this.directory = directory;
        this.run = run;
    }

    /**
     * Starts the job and waits for its first line.
     *
     * @param checkpoints the options that say when checkpoints are to be taken
     * @param seconds how long the program plays by the clock of the VMs, which stands while they do
     */
    static CheckpointedTraffic start(Cluster cluster, TrafficPattern pattern, List<String> checkpoints, int seconds)
            throws Exception {
        Path directory = Files.createTempDirectory(cluster.home(), pattern.program());
        Path program = directory.resolve(pattern.program());
        Files.copy(Cluster.projectRoot().resolve("build/examples").resolve(pattern.program()), program);
        assertThat(program.toFile().setExecutable(true)).isTrue();
        List<String> arguments = new ArrayList<>(checkpoints);
        arguments.addAll(List.of("--ckpt-vms", Integer.toString(VMS), "-np", Integer.toString(pattern.ranks())));
        arguments.addAll(pattern.forSeconds(seconds));
        MpirunRun run = cluster.mpirun(directory, arguments);
        CheckpointedTraffic traffic = new CheckpointedTraffic(cluster, pattern, directory, run);
        boolean started = false;
        try {
            run.awaitStdout("the first line of " + pattern, STEP, pattern::isProgress);
            traffic.say("first line");
            started = true;
        } finally {
            if (!started) {
                traffic.close();
            }
        }
        return traffic;
    }

    /**
     * Takes checkpoints one after the other, each of which must be committed.
     *
     * @return how long that took
     */
    Duration checkpoint(int times) throws Exception {
        long from = System.nanoTime();
        String job = run.jobId(STEP);
        try (CheckpointCaller coordinator = new CheckpointCaller(cluster.socket())) {
            for (int i = 1; i <= times; i++) {
                takeCheckpoint(coordinator, job, i + " of " + times);
            }
        }
        say(times + " checkpoints taken");
        return Duration.ofNanos(System.nanoTime() - from);
    }

    private void takeCheckpoint(CheckpointCaller coordinator, String job, String which) {
        try {
            Checkpoint checkpoint = coordinator.checkpoint(job);
            assertThat(checkpoint.getQuiescence().getVerifyRounds())
                    .as("checkpoint %s", which)
                    .isPositive();
        } catch (StatusRuntimeException e) {
            throw new AssertionError(
                    "checkpoint %s of %s: %s%n%s".formatted(which, pattern, e.getStatus(), run.transcript()), e);
        }
    }

    /** Waits for the end, which must be a good one, with the result of an undisturbed run, after so many checkpoints or more. */
    void requireExactEnd(int leastCheckpoints, Duration limit) throws Exception {
        assertThat(run.awaitExit(limit)).as(run.transcript()).isZero();
        List<String> results = run.stdout().stream()
                .map(MpirunRun.Line::text)
                .filter(pattern::isResult)
                .toList();
        assertThat(results).as(run.transcript()).hasSize(1);
        List<String> failed = settled("failed: ").stream()
                .filter(line -> !line.endsWith(ENDED_FIRST))
                .toList();
        int committed = settled("is committed").size();
        say("%d checkpoints, %d failed: %s".formatted(committed, failed.size(), results.getFirst()));
        assertThat(failed).as(run.transcript()).isEmpty();
        assertThat(committed).as(run.transcript()).isGreaterThanOrEqualTo(leastCheckpoints);
        assertThat(run.stderr().stream().map(MpirunRun.Line::text))
                .as("the job ran on, it was not restarted")
                .noneMatch(line -> line.contains("to be restarted"));
        requireExact(results.getFirst());
    }

    private List<String> settled(String how) {
        return run.stderr().stream()
                .map(MpirunRun.Line::text)
                .map(SETTLED::matcher)
                .filter(Matcher::matches)
                .filter(line -> line.group(2).equals(how))
                .map(Matcher::group)
                .toList();
    }

    /** The storm counts each message itself; of the others the same number of rounds, undisturbed, gives the same line. */
    private void requireExact(String result) throws IOException, InterruptedException {
        Matcher storm = RESULT_OF_STORM.matcher(result);
        if (pattern == TrafficPattern.STORM) {
            assertThat(storm.matches()).as(result).isTrue();
            assertThat(storm.group(1)).isEqualTo(storm.group(2));
            return;
        }
        Matcher traffic = RESULT_OF_TRAFFIC.matcher(result);
        assertThat(traffic.matches()).as(result).isTrue();
        List<String> command = new ArrayList<>(List.of("mpirun", "--allow-run-as-root", "--oversubscribe"));
        command.addAll(List.of("--mca", "osc", "pt2pt", "-np", Integer.toString(pattern.ranks())));
        command.addAll(pattern.forRounds(traffic.group(1)));
        Commands.Result plain = Commands.run(command, Map.of(), directory, PLAIN_RUN);
        assertThat(plain.stdout().lines().toList().getLast())
                .as("undisturbed: %s", plain.stderr())
                .isEqualTo(result);
    }

    private void say(String what) {
        System.out.printf(Locale.ROOT, "%-19s %6.1f s  %s%n", pattern, (System.nanoTime() - began) / 1e9, what);
    }

    private void end() throws IOException, InterruptedException {
        for (JsonNode job : cluster.json("status").path("jobs")) {
            if (!List.of("ended", "lost").contains(job.path("state").asText())) {
                Commands.Result result =
                        cluster.stillcut("cancel", job.path("job").asText());
                assertThat(result.exitStatus()).as(result.stderr()).isZero();
            }
        }
        run.awaitExit(STEP);
    }

    /** Ends a job that has not ended, so that its nodes are free for the next one. */
    @Override
    public void close() throws IOException {
        try (run) {
            if (run.process().isAlive()) {
                end();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + pattern + " was ended", e);
        }
    }
}
