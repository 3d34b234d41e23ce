package org.stillcut.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The wrapper's standard input, as a file that goes with the job: how far it was read is then in each checkpoint, and a restart
 * goes on reading there. So it has to have an end. A terminal's is not taken: the job reads an empty input, as in a batch system.
 */
final class StandardInput {
    /** How long a pipe may be silent before it is taken for one that nobody meant for the job, as cron and services leave. */
    private static final Duration SILENCE = Duration.ofSeconds(1);

    private static final Duration QUIET_READING = Duration.ofSeconds(2);
    private static final int PIECE_BYTES = 64 * 1024;
    private static final Path DESCRIPTOR = Path.of("/proc/self/fd/0");

    /** What is behind the descriptor. */
    enum Kind {
        FILE,
        PIPE,
        OTHER
    }

    private final InputStream bytes;
    private final Kind kind;

    StandardInput(InputStream bytes, Kind kind) {
        this.bytes = bytes;
        this.kind = kind;
    }

    /** This process's own. */
    static StandardInput ofThisProcess() {
        return new StandardInput(System.in, kindOf(DESCRIPTOR));
    }

    static Kind kindOf(Path descriptor) {
        try {
            String target = Files.readSymbolicLink(descriptor).toString();
            if (target.startsWith("pipe:") || target.startsWith("socket:")) {
                return Kind.PIPE;
            }
            return Files.isRegularFile(descriptor) ? Kind.FILE : Kind.OTHER;
        } catch (IOException e) {
            // Closed.
            return Kind.OTHER;
        }
    }

    /**
     * Reads it to its end into a file in a directory of its own; blocks until then. Empty if there is none for the job.
     *
     * @param wanted whether {@code --stdin} asked for it: then a silent pipe is waited for
     * @param limitBytes more than that is refused
     */
    Optional<Path> spool(boolean wanted, long limitBytes) throws IOException, UsageException {
        if (kind == Kind.OTHER) {
            return Optional.empty();
        }
        int first = first(wanted);
        if (first < 0) {
            return Optional.empty();
        }
        Path directory = Files.createTempDirectory(
                "stillcut-stdin-", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path file = directory.resolve("stdin");
        // A signal may end this process meanwhile; the last one registered goes first.
        directory.toFile().deleteOnExit();
        file.toFile().deleteOnExit();
        boolean whole = false;
        try (OutputStream out = Files.newOutputStream(file);
                Progress progress = Progress.after(QUIET_READING, "reading standard input to its end")) {
            out.write(first);
            copy(out, limitBytes, progress);
            whole = true;
        } finally {
            if (!whole) {
                forget(file);
            }
        }
        return Optional.of(file);
    }

    /** Removes what {@link #spool} made. */
    static void forget(Path file) throws IOException {
        Files.deleteIfExists(file);
        Path directory = file.getParent();
        if (directory != null) {
            Files.deleteIfExists(directory);
        }
    }

    private void copy(OutputStream out, long limitBytes, Progress progress) throws IOException, UsageException {
        byte[] piece = new byte[PIECE_BYTES];
        long copied = 1;
        for (int length = bytes.read(piece); length >= 0; length = bytes.read(piece)) {
            copied += length;
            if (copied > limitBytes) {
                throw new UsageException("standard input is longer than " + Quantities.readableBytes(limitBytes)
                        + ", which the job's disk can take: a larger --ckpt-disk, or --stdin none");
            }
            out.write(piece, 0, length);
            progress.say(Quantities.readableBytes(copied));
        }
    }

    /** The first byte; negative at the end, or if it does not come. */
    private int first(boolean wanted) throws IOException {
        if (wanted || kind == Kind.FILE) {
            return bytes.read();
        }
        CompletableFuture<Integer> answer = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("stdin").start(() -> {
            try {
                answer.complete(bytes.read());
            } catch (IOException e) {
                answer.completeExceptionally(e);
            }
        });
        try {
            return answer.get(SILENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            System.err.println(
                    "mpirun: standard input is a pipe without data; the job gets none (--stdin 0 waits for it)");
            return -1;
        } catch (ExecutionException e) {
            throw new IOException("standard input cannot be read", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
