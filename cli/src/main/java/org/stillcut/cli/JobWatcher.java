package org.stillcut.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.Optional;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.OutputChunk;
import org.stillcut.v1.OutputStream;
import org.stillcut.v1.WatchJobRequest;
import org.stillcut.v1.WatchJobResponse;

/**
 * Follows a job to its end: copies its output to this process's own and tells what happens to it. Goes on where it was
 * when the coordinator comes back after an interruption.
 *
 * <p>Used by one thread.
 */
final class JobWatcher {
    /** How long a coordinator may be away; the job itself runs on without one. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final Duration PAUSE_BETWEEN_TRIES = Duration.ofMillis(500);

    private final CoordinatorConnection coordinator;
    private final InstantSource clock;
    private final boolean verbose;
    private final PrintStream out = System.out;
    private final PrintStream err = System.err;
    private long stdoutOffset;
    private long stderrOffset;

    JobWatcher(CoordinatorConnection coordinator, InstantSource clock, boolean verbose) {
        this.coordinator = coordinator;
        this.clock = clock;
        this.verbose = verbose;
    }

    /** Blocks until the job has ended or is lost. Returns the job as it was then. */
    Job follow(String jobId) {
        Instant lastHeard = clock.instant();
        while (true) {
            try {
                Iterator<WatchJobResponse> changes = coordinator
                        .jobs()
                        .watchJob(WatchJobRequest.newBuilder()
                                .setJobId(jobId)
                                .setStdoutOffset(stdoutOffset)
                                .setStderrOffset(stderrOffset)
                                .build());
                while (changes.hasNext()) {
                    Optional<Job> end = take(changes.next());
                    if (end.isPresent()) {
                        return end.get();
                    }
                    lastHeard = clock.instant();
                }
            } catch (StatusRuntimeException e) {
                if (e.getStatus().getCode() != Status.Code.UNAVAILABLE
                        || clock.instant().isAfter(lastHeard.plus(PATIENCE))) {
                    throw e;
                }
            }
            pause();
            coordinator.tryAgain();
        }
    }

    private Optional<Job> take(WatchJobResponse response) {
        switch (response.getChangeCase()) {
            case OUTPUT -> copy(response.getOutput());
            case EVENT -> {
                if (verbose) {
                    err.println("stillcut: " + response.getEvent().getText());
                }
            }
            case JOB -> {
                Job job = response.getJob();
                if (job.getPhase() == JobPhase.JOB_PHASE_ENDED || job.getPhase() == JobPhase.JOB_PHASE_LOST) {
                    return Optional.of(job);
                }
            }
            case CHANGE_NOT_SET -> {
                // A newer coordinator says something that this program does not know.
            }
        }
        return Optional.empty();
    }

    private void copy(OutputChunk chunk) {
        boolean stdout = chunk.getStream() == OutputStream.OUTPUT_STREAM_STDOUT;
        PrintStream target = stdout ? out : err;
        byte[] data = chunk.getData().toByteArray();
        target.write(data, 0, data.length);
        target.flush();
        long end = chunk.getOffset() + data.length;
        if (stdout) {
            stdoutOffset = end;
        } else {
            stderrOffset = end;
        }
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_BETWEEN_TRIES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Status.CANCELLED.withDescription("interrupted").asRuntimeException();
        }
    }
}
