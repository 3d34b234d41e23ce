package org.stillcut.agent.linux;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs programs as children of the agent. Stateless and thread-safe. Output is collected in memory within limits; a
 * child never outlives its call.
 */
public final class HostCommandRunner implements CommandRunner {

    /** Enough for the block map of 500,000 extents, the longest answer that any of our commands gives. */
    static final int OUTPUT_LIMIT_BYTES = 64 << 20;

    /** More of a program's complaints than this does not help anybody. */
    private static final int ERRORS_LIMIT_BYTES = 4096;

    @Override
    public String run(CommandLine command, Duration deadline) throws CommandException, InterruptedException {
        Deadline end = Deadline.after(deadline);
        Process process = start(command);
        try {
            FutureTask<String> output = inBackground(() -> readOutput(process.getInputStream()));
            FutureTask<String> errors = inBackground(() -> readErrors(process.getErrorStream()));
            FutureTask<Boolean> input = inBackground(() -> writeInput(process.getOutputStream(), command.input()));
            String text = await(output, command, end);
            String complaints = await(errors, command, end);
            await(input, command, end);
            if (!process.waitFor(end.remaining().toNanos(), TimeUnit.NANOSECONDS)) {
                throw new CommandException(command, "did not end within " + deadline);
            }
            if (process.exitValue() != 0) {
                throw new CommandException(
                        command, "ended with exit code " + process.exitValue() + ": " + oneLine(complaints, text));
            }
            return text;
        } finally {
            process.destroyForcibly();
        }
    }

    private static Process start(CommandLine command) throws CommandException {
        try {
            return new ProcessBuilder(command.arguments()).start();
        } catch (IOException e) {
            throw new CommandException(command, "could not be started", e);
        }
    }

    private static <T> FutureTask<T> inBackground(Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread.ofVirtual().name("host-command-stream").start(task);
        return task;
    }

    private static <T> T await(FutureTask<T> stream, CommandLine command, Deadline end)
            throws CommandException, InterruptedException {
        try {
            return stream.get(end.remaining().toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new CommandException(command, "did not end before its deadline and was killed", e);
        } catch (ExecutionException e) {
            throw new CommandException(command, "failed on its input or output", e.getCause());
        }
    }

    private static String readOutput(InputStream stream) throws IOException {
        byte[] bytes = stream.readNBytes(OUTPUT_LIMIT_BYTES + 1);
        if (bytes.length > OUTPUT_LIMIT_BYTES) {
            throw new IOException("wrote more than " + OUTPUT_LIMIT_BYTES + " bytes");
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static String readErrors(InputStream stream) throws IOException {
        byte[] start = stream.readNBytes(ERRORS_LIMIT_BYTES);
        // The rest is read too: a program that blocks on a full pipe would not end.
        stream.transferTo(OutputStream.nullOutputStream());
        return new String(start, StandardCharsets.UTF_8);
    }

    private static boolean writeInput(OutputStream stream, String input) {
        try (stream) {
            stream.write(input.getBytes(StandardCharsets.UTF_8));
            return true;
        } catch (IOException e) {
            // A program may end without reading everything; its exit code and its own words say what was wrong.
            return false;
        }
    }

    private static String oneLine(String errors, String output) {
        String words = errors.isBlank() ? output : errors;
        String line = words.strip().replaceAll("\\s*\\R\\s*", " | ");
        return line.length() <= ERRORS_LIMIT_BYTES ? line : line.substring(0, ERRORS_LIMIT_BYTES);
    }
}
