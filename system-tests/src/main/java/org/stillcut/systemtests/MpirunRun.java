package org.stillcut.systemtests;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** One run of the mpirun wrapper, with each line it prints and when it came. Thread-safe. */
public final class MpirunRun implements AutoCloseable {
    private static final String JOB = "stillcut: job ";

    private final Process process;
    private final List<Line> stdout = new ArrayList<>();
    private final List<Line> stderr = new ArrayList<>();
    private final List<Thread> readers = new ArrayList<>();

    /** A line and the System.nanoTime at which it arrived. */
    public record Line(long nanoTime, String text) {}

    private MpirunRun(Process process) {
        this.process = process;
    }

    static MpirunRun start(List<String> command, Map<String, String> environment, Path directory) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().putAll(environment);
        Process process = builder.start();
        MpirunRun run = new MpirunRun(process);
        run.readers.add(run.reader(process.getInputStream(), run.stdout));
        run.readers.add(run.reader(process.getErrorStream(), run.stderr));
        return run;
    }

    private Thread reader(InputStream stream, List<Line> lines) {
        return Thread.ofPlatform().daemon().start(() -> {
            try (BufferedReader reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    synchronized (this) {
                        lines.add(new Line(System.nanoTime(), line));
                    }
                }
            } catch (IOException e) {
                synchronized (this) {
                    lines.add(new Line(System.nanoTime(), "(reading failed: " + e + ")"));
                }
            }
        });
    }

    public synchronized List<Line> stdout() {
        return List.copyOf(stdout);
    }

    synchronized List<Line> stderr() {
        return List.copyOf(stderr);
    }

    /** Everything printed, for the report of a failure. */
    public String transcript() {
        StringBuilder text = new StringBuilder();
        stdout().forEach(line -> text.append(line.text()).append('\n'));
        stderr().forEach(line -> text.append("! ").append(line.text()).append('\n'));
        return text.toString();
    }

    /** One line of what was told last, for the message of a failure. */
    private String lastWords() {
        List<String> told = stderr().stream().map(Line::text).toList();
        return String.join(" | ", told.subList(Math.max(0, told.size() - 4), told.size()));
    }

    /** The id of the job, once it is known. */
    public String jobId(Duration limit) throws Exception {
        return awaitStderr("a job id", limit, line -> line.startsWith(JOB))
                .text()
                .substring(JOB.length());
    }

    public Line awaitStdout(String what, Duration limit, Predicate<String> wanted) throws Exception {
        return Waiting.until(what, limit, () -> find(stdout(), what, wanted));
    }

    public Line awaitStderr(String what, Duration limit, Predicate<String> wanted) throws Exception {
        return Waiting.until(what, limit, () -> find(stderr(), what, wanted));
    }

    private Optional<Line> find(List<Line> lines, String what, Predicate<String> wanted) throws IOException {
        Optional<Line> found =
                lines.stream().filter(line -> wanted.test(line.text())).findFirst();
        if (found.isEmpty() && !process.isAlive() && readers.stream().noneMatch(Thread::isAlive)) {
            throw new IOException("mpirun ended before " + what + "; it said last: " + lastWords());
        }
        return found;
    }

    /** The wrapper's exit status, when it has ended and everything it printed was read. */
    public int awaitExit(Duration limit) throws IOException, InterruptedException {
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            throw new IOException(
                    "mpirun has not ended within " + limit.toSeconds() + " s; it said last: " + lastWords());
        }
        for (Thread reader : readers) {
            reader.join(Duration.ofSeconds(10));
        }
        return process.exitValue();
    }

    Process process() {
        return process;
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
