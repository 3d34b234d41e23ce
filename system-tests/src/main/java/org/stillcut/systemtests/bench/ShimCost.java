package org.stillcut.systemtests.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stillcut.systemtests.Commands;

/** What the gate costs a program while it is open: the same program with the shim and without, in turns, on this machine. */
final class ShimCost implements AutoCloseable {
    private static final int CALL_RUNS = 7;
    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final Pattern NANOS = Pattern.compile("MPI_Send to MPI_PROC_NULL: ([0-9.]+) ns");
    private static final Pattern TIMES = Pattern.compile("TIMES ([0-9.]+) ([0-9.]+) ([0-9.]+)");

    /**
     * About two seconds on an idle machine: many MPI calls per second, as in a solver that scales badly. On a busy one it takes
     * minutes, as ranks that spin wait for each other's turn.
     */
    private static final List<String> HEAT = List.of("400", "400", "12000", "1000000");

    private static final Map<String, String> AS_ROOT = Map.of(
            "OMPI_ALLOW_RUN_AS_ROOT", "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", "TIMEFORMAT", "TIMES %R %U %S");

    private final Path root;
    private final Path work;
    private final Path page;

    /** Seconds. */
    private record Times(double wall, double cpu) {}

    private ShimCost(Path root, Path work, Path page) {
        this.root = root;
        this.work = work;
        this.page = page;
    }

    /** Compiles what is run, and opens a gate. */
    static ShimCost build(Path root) throws IOException, InterruptedException {
        Path work = Files.createTempDirectory("stillcut-bench-");
        ShimCost made = new ShimCost(root, work, Path.of("/dev/shm", work.getFileName() + "-gate"));
        boolean built = false;
        try {
            Path test = root.resolve("guest/shim/test");
            Commands.run("make", "-s", "-C", root.resolve("guest").toString());
            made.compile("mpicc.openmpi", "modes", test.resolve("modes.c"));
            made.compile("cc", "gate_driver", test.resolve("gate_driver.c"), root.resolve("guest/daemon/gate.c"));
            Commands.run(work.resolve("gate_driver").toString(), made.page.toString(), "make");
            built = true;
            return made;
        } finally {
            if (!built) {
                made.close();
            }
        }
    }

    private void compile(String compiler, String program, Path... sources) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(compiler, "-std=c17", "-O2", "-o", work.resolve(program).toString()));
        for (Path source : sources) {
            command.add(source.toString());
        }
        command.add("-lpthread");
        Commands.run(command.toArray(String[]::new));
    }

    /** Nanoseconds that one call takes longer. */
    void calls(BenchReport report) throws IOException, InterruptedException {
        List<Double> without = new ArrayList<>();
        List<Double> with = new ArrayList<>();
        List<String> program = List.of(work.resolve("modes").toString(), "bench");
        for (int i = 0; i < CALL_RUNS; i++) {
            without.add(
                    Double.parseDouble(find(NANOS, mpirun(1, false, program)).group(1)));
            with.add(Double.parseDouble(find(NANOS, mpirun(1, true, program)).group(1)));
        }
        double plain = BenchReport.quantile(without, 0.5);
        report.value("mpi_call_without_shim_ns_p50", plain, "ns", CALL_RUNS);
        report.value("open_gate_per_call_ns_p50", BenchReport.quantile(with, 0.5) - plain, "ns", CALL_RUNS, 10);
    }

    /** How much longer a stencil takes: the median of the ratios of neighbouring runs, of so many pairs. */
    void stencil(BenchReport report, int pairs) throws IOException, InterruptedException {
        List<Double> wall = new ArrayList<>();
        List<Double> cpu = new ArrayList<>();
        List<Double> seconds = new ArrayList<>();
        for (int i = 0; i < pairs; i++) {
            // Who comes first changes, so that a machine that slows down favours neither.
            Times first = heat(i % 2 == 0);
            Times second = heat(i % 2 != 0);
            Times with = i % 2 == 0 ? first : second;
            Times without = i % 2 == 0 ? second : first;
            wall.add(with.wall / without.wall);
            cpu.add(with.cpu / without.cpu);
            seconds.add(without.wall);
        }
        report.value("heat_without_shim_s_p50", BenchReport.quantile(seconds, 0.5), "s", pairs);
        report.value("heat_with_shim_ratio_p50", BenchReport.quantile(wall, 0.5), "", pairs, 1.01);
        report.value("heat_with_shim_cpu_ratio_p50", BenchReport.quantile(cpu, 0.5), "", pairs);
    }

    private Times heat(boolean shim) throws IOException, InterruptedException {
        List<String> program =
                new ArrayList<>(List.of(root.resolve("build/examples/heat").toString()));
        program.addAll(HEAT);
        Matcher times = find(TIMES, mpirun(2, shim, program));
        return new Times(
                Double.parseDouble(times.group(1)),
                Double.parseDouble(times.group(2)) + Double.parseDouble(times.group(3)));
    }

    private static Matcher find(Pattern pattern, String text) throws IOException {
        Matcher matcher = pattern.matcher(text);
        if (!matcher.find()) {
            throw new IOException("no '" + pattern + "' in: " + text);
        }
        return matcher;
    }

    private String mpirun(int ranks, boolean shim, List<String> program) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("bash", "-c", "time \"$@\"", "bash", "mpirun.openmpi"));
        command.addAll(List.of("-np", Integer.toString(ranks)));
        if (shim) {
            String library = root.resolve("build/guest/stillcut-gate.so").toString();
            command.addAll(List.of("-x", "LD_PRELOAD=" + library, "-x", "STILLCUT_GATE=" + page));
        }
        command.addAll(program);
        Commands.Result result = Commands.run(command, AS_ROOT, work, LIMIT);
        if (result.exitStatus() != 0) {
            throw new IOException(String.join(" ", command) + ": " + result.stderr());
        }
        return result.stdout() + result.stderr();
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(page);
        try (var files = Files.walk(work)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
