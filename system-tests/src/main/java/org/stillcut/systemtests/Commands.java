package org.stillcut.systemtests;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs programs to their end. */
public final class Commands {
    private Commands() {}

    /** How a program ended and what it printed. */
    public record Result(int exitStatus, String stdout, String stderr) {}

    /** Runs a program that must succeed; returns what it printed. */
    public static String run(String... command) throws IOException, InterruptedException {
        Result result = run(List.of(command), Map.of(), Path.of("/"), Duration.ofMinutes(1));
        if (result.exitStatus() != 0) {
            throw new IOException(
                    String.join(" ", command) + ": " + result.stderr().strip());
        }
        return result.stdout();
    }

    /** Runs a program, whatever comes of it. It is killed when the time is over. */
    public static Result run(List<String> command, Map<String, String> environment, Path directory, Duration limit)
            throws IOException, InterruptedException {
        Path out = Files.createTempFile("stillcut-out-", ".txt");
        Path err = Files.createTempFile("stillcut-err-", ".txt");
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile());
            builder.environment().putAll(environment);
            Process process = builder.start();
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly().waitFor();
                throw new IOException(String.join(" ", command) + ": not done within " + limit + "; it said: "
                        + Files.readString(err));
            }
            return new Result(
                    process.exitValue(),
                    Files.readString(out, StandardCharsets.UTF_8),
                    Files.readString(err, StandardCharsets.UTF_8));
        } finally {
            Files.deleteIfExists(out);
            Files.deleteIfExists(err);
        }
    }
}
