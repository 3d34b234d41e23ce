package org.stillcut.coordinator.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.protocol.JobId;

/**
 * Takes in what jobs have changed in their directories, and keeps what there was when they ended. Thread-safe. The files are
 * not looked into: they come from guests, and who unpacks them does not trust them.
 */
public final class FilesDesk {
    private static final Logger log = LoggerFactory.getLogger(FilesDesk.class);

    /** Number of the delivery that comes before the end of a job is told. */
    static final long AT_END = 0;

    private static final String KEPT = "changed.files";
    private static final String WHY_NOT = "changed.failure";
    static final String INCOMING = "changed-";

    /** An agent that is asked and does not answer for so long is gone, or the job writes faster than can be read. */
    private static final Duration PATIENCE = Duration.ofMinutes(15);

    private final Path directory;
    private final AtomicLong lastRequest = new AtomicLong();
    private final Map<Long, Wanted> waiting = new ConcurrentHashMap<>();

    private record Wanted(JobId job, CompletableFuture<Path> arrival) {}

    /**
     * Opens the desk, and drops what was on its way when the last one was closed.
     *
     * @param directory has a directory for each job, named like it
     */
    public static FilesDesk open(Path directory) throws IOException {
        try (var left = Files.find(
                // A job's own directory may be named like that, too.
                directory,
                2,
                (path, attributes) -> attributes.isRegularFile()
                        && path.getFileName().toString().startsWith(INCOMING))) {
            for (Path file : left.toList()) {
                Files.deleteIfExists(file);
            }
        }
        return new FilesDesk(directory);
    }

    private FilesDesk(Path directory) {
        this.directory = directory;
    }

    /** Somebody waits for the files of a running job. */
    public record Request(long number, CompletableFuture<Path> arrival) {}

    /**
     * Begins to wait for a delivery. Completes with a file that the caller deletes, or fails with {@link FilesException} or a
     * time-out.
     */
    public Request request(JobId job) {
        long number = lastRequest.incrementAndGet();
        CompletableFuture<Path> arrival = new CompletableFuture<>();
        waiting.put(number, new Wanted(job, arrival));
        var ignored = arrival.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .whenComplete((_, _) -> waiting.remove(number));
        return new Request(number, arrival);
    }

    /**
     * Begins to take a delivery in.
     *
     * @param limitBytes more than that is not kept
     */
    public FilesArrival begin(JobId job, long request, long limitBytes) {
        return new FilesArrival(this, job, request, limitBytes);
    }

    /** What there was when the job ended. */
    public Path ofEnded(JobId job) throws FilesException {
        Path home = home(job);
        Path kept = home.resolve(KEPT);
        try {
            if (Files.exists(home.resolve(WHY_NOT))) {
                throw new FilesException(Files.readString(home.resolve(WHY_NOT)));
            }
        } catch (IOException e) {
            throw new FilesException("the files that job " + job + " left cannot be read", e);
        }
        if (!Files.exists(kept)) {
            throw new FilesException.Missing("job " + job + " has left no files: it did not end by itself");
        }
        return kept;
    }

    /** Drops what there was when the job ended the last time: it is restarted. */
    public void forget(JobId job) throws IOException {
        Files.deleteIfExists(home(job).resolve(KEPT));
        Files.deleteIfExists(home(job).resolve(WHY_NOT));
    }

    Path home(JobId job) {
        return directory.resolve(job.value());
    }

    /** A delivery is here as a whole. */
    void arrived(JobId job, long request, Path file) throws IOException {
        if (request == AT_END) {
            Path home = home(job);
            Files.deleteIfExists(home.resolve(WHY_NOT));
            Files.move(file, home.resolve(KEPT), StandardCopyOption.ATOMIC_MOVE);
            return;
        }
        Wanted wanted = waiting.get(request);
        if (wanted == null || !wanted.job().equals(job) || !wanted.arrival().complete(file)) {
            log.info("job {}: files arrived that nobody waits for any more", job);
            Files.deleteIfExists(file);
        }
    }

    /** A delivery is not coming. */
    void failed(JobId job, long request, String reason) {
        log.warn("job {}: its files cannot be had: {}", job, reason);
        if (request != AT_END) {
            Optional.ofNullable(waiting.get(request))
                    .filter(wanted -> wanted.job().equals(job))
                    .ifPresent(wanted -> wanted.arrival().completeExceptionally(new FilesException(reason)));
            return;
        }
        try {
            Files.deleteIfExists(home(job).resolve(KEPT));
            Files.writeString(home(job).resolve(WHY_NOT), reason);
        } catch (NoSuchFileException e) {
            log.debug("job {} is gone", job);
        } catch (IOException e) {
            // On a full disk there is no file either way, and that is what the user is told.
            log.error("job {}: why its files cannot be had could not be recorded", job, e);
        }
    }
}
