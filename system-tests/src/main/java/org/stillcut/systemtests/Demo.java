package org.stillcut.systemtests;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The story that the demo tells: an undisturbed run, a job in VMs on two of three nodes, a checkpoint, the loss of a node, the
 * restart, the same result. Each step waits for what it needs to see, and fails with what was seen instead.
 */
final class Demo implements AutoCloseable {
    private static final int RANKS = 4;
    private static final int NODES = 3;
    private static final String INTERVAL = "5s";
    private static final String VICTIM = "n2";

    /** Progress lines that must come after the checkpoint, so that the restart has something to throw away. */
    private static final int LINES_AFTER_CHECKPOINT = 5;

    private static final Duration PLAIN_RUN = Duration.ofMinutes(5);
    private static final Duration STEP = Duration.ofMinutes(3);
    private static final Duration WHOLE_JOB = Duration.ofMinutes(10);

    private final Path root;
    private final DemoProgram program;
    private final long began = System.nanoTime();
    private @Nullable Cluster cluster;
    private boolean emulated;

    Demo(Path root, DemoProgram program) {
        this.root = root;
        this.program = program;
    }

    void run() throws Exception {
        Cluster running = Cluster.start(root, Cluster.Options.of(root, NODES, RANKS / 2));
        cluster = running;
        JsonNode node = running.json("node", "list").path("nodes").path(0);
        emulated = !node.path("accelerator").asText().equals("kvm");
        say(NODES + " nodes are up; VMs run under " + node.path("accelerator").asText() + " ("
                + node.path("acceleratorReason").asText() + ")");
        Path directory = Files.createDirectory(running.home().resolve("job"));
        program.stage(root.resolve("build"), directory);
        String expected = plainRun(directory);
        say("an undisturbed plain mpirun ends with: " + expected);
        List<String> arguments = new ArrayList<>(List.of(
                "--ckpt-name",
                program.programName(),
                "--ckpt-interval",
                INTERVAL,
                "-H",
                "n1,n2",
                "-np",
                Integer.toString(RANKS)));
        arguments.addAll(program.arguments(emulated));
        try (MpirunRun run = running.mpirun(directory, arguments)) {
            follow(running, run, expected);
        }
    }

    private String plainRun(Path directory) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                root.resolve("scripts/mpirun").toString(),
                "--allow-run-as-root",
                "--oversubscribe",
                "-np",
                Integer.toString(RANKS)));
        command.addAll(program.arguments(emulated));
        Commands.Result plain = Commands.run(command, Map.of(), directory, PLAIN_RUN);
        return plain.stdout()
                .lines()
                .filter(program::isResult)
                .findFirst()
                .orElseThrow(() -> new IOException("the plain run gave no result: " + plain.stderr()));
    }

    private void follow(Cluster running, MpirunRun run, String expected) throws Exception {
        String job = run.jobId(STEP);
        say("mpirun --ckpt-interval " + INTERVAL + " has started job " + job + " on " + placement(running, job));
        run.awaitStdout("the first progress", STEP, program::isProgress);
        say("the job makes progress");
        // A checkpoint may fall into the launch; the one to restart from shall be one of the running program.
        String first = awaitCommit(run, commits(run));
        say(first);
        report(running, job);
        int lines = run.stdout().size();
        Waiting.untilTrue(
                "progress after the checkpoint", STEP, () -> run.stdout().size() >= lines + LINES_AFTER_CHECKPOINT);
        running.killNode(VICTIM);
        say("node " + VICTIM + " is killed: agent, VMs and network");
        run.awaitStderr("the loss of the node", STEP, line -> line.contains("node " + VICTIM + " was lost"));
        say("the loss is noticed");
        run.awaitStderr("the restart", STEP, line -> line.contains("running, epoch 2"));
        say("the job is restarted on " + placement(running, job));
        int status = run.awaitExit(WHOLE_JOB);
        String result = run.stdout().stream()
                .map(MpirunRun.Line::text)
                .filter(program::isResult)
                .findFirst()
                .orElse("nothing");
        say("the job ends with status " + status + " and: " + result);
        say(new PauseMeasure(run, program).describe());
        if (status != 0 || !result.equals(expected)) {
            throw new IOException("expected status 0 and '" + expected + "', not " + status + " and '" + result + "'");
        }
        requireOutputOnce(run);
    }

    private static long commits(MpirunRun run) {
        return run.stderr().stream().filter(Demo::isCommit).count();
    }

    private static boolean isCommit(MpirunRun.Line line) {
        return line.text().contains("is committed");
    }

    private static String awaitCommit(MpirunRun run, long seen) throws Exception {
        Waiting.untilTrue("a committed checkpoint", STEP, () -> commits(run) > seen);
        return run.stderr().stream()
                .filter(Demo::isCommit)
                .reduce((_, last) -> last)
                .map(line -> line.text().replaceFirst("^stillcut: ", ""))
                .orElseThrow();
    }

    private void report(Cluster running, String job) throws IOException, InterruptedException {
        for (JsonNode checkpoint : running.json("list", job).path("checkpoints")) {
            say(String.format(
                    Locale.ROOT,
                    "%s: %.0f MB of RAM and disks, %.1f MB written",
                    checkpoint.path("reference").asText(),
                    checkpoint.path("imageBytes").asLong() / 1e6,
                    checkpoint.path("storedBytes").asLong() / 1e6));
        }
    }

    private static String placement(Cluster running, String job) throws IOException, InterruptedException {
        StringBuilder text = new StringBuilder();
        for (JsonNode vm : running.json("status", job).path("job").path("placement")) {
            text.append(text.isEmpty() ? "" : ", ")
                    .append("vm")
                    .append(vm.path("vm").asInt());
            text.append(" at ").append(vm.path("node").asText());
        }
        return text.toString();
    }

    /** Each line of progress once, and in order: what the job printed again after the restart was not printed again. */
    private void requireOutputOnce(MpirunRun run) throws IOException {
        List<String> progress = run.stdout().stream()
                .map(MpirunRun.Line::text)
                .filter(program::isProgress)
                .toList();
        if (progress.stream().distinct().count() != progress.size()) {
            throw new IOException("a line was printed twice: " + run.transcript());
        }
        say(progress.size() + " lines of progress, none missing, none twice");
    }

    private void say(String text) {
        System.out.printf(Locale.ROOT, "%7.1f s  %s%n", (System.nanoTime() - began) / 1e9, text);
    }

    /** Leaves the cluster to a person, until a signal ends the demo. */
    void keep() throws InterruptedException {
        Cluster running = cluster;
        if (running == null) {
            throw new IllegalStateException("there is no cluster to keep");
        }
        say("the cluster goes on until Ctrl-C; its logs are in " + running.home() + "; in another shell:");
        running.environment().forEach((name, value) -> System.out.println("    export " + name + "=" + value));
        System.out.println("    scripts/stillcut node list; scripts/stillcut status; scripts/stillcut list");
        Thread.sleep(Duration.ofDays(1));
    }

    /** Ends the cluster when the demo is ended from outside. */
    void interrupted() {
        try {
            close();
        } catch (IOException e) {
            System.err.println("demo: not everything could be ended: " + e.getMessage());
        }
    }

    @Override
    public void close() throws IOException {
        Cluster running = cluster;
        if (running != null) {
            running.close();
        }
    }
}
