package org.stillcut.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
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
 * Follows a job to its end and tells a listener what it prints and what happens to it. Goes on where it was when the coordinator comes back after an interruption.
 *
 * <p>Used by one thread.
 */
final class JobWatcher {
    /** How long a coordinator may be away; the job itself runs on without one. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /** A call that is not connected after so long has failed: Netty's time-out. */
    private static final Duration LONGEST_CONNECT = Duration.ofSeconds(30);

    private static final Duration PAUSE_BETWEEN_TRIES = Duration.ofMillis(500);

    private final CoordinatorConnection coordinator;
    private final InstantSource clock;
    private final JobListener listener;
    private long stdoutOffset;
    private long stderrOffset;

    JobWatcher(CoordinatorConnection coordinator, InstantSource clock, JobListener listener) {
        this.coordinator = coordinator;
        this.clock = clock;
        this.listener = listener;
    }

    /** Leaves the output out: only what happens is of interest. */
    JobWatcher withoutOutput() {
        stdoutOffset = Long.MAX_VALUE;
        stderrOffset = Long.MAX_VALUE;
        return this;
    }

    /** Blocks until the job has ended or is lost. Returns the job as it was then. */
    Job follow(String jobId) {
        Instant lastHeard = clock.instant();
        while (true) {
            Instant asked = clock.instant();
            try {
                Iterator<WatchJobResponse> changes = coordinator
                        .watchedJobs()
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
                // A job may be silent for hours: what broke after so long had been a connection until then.
                if (clock.instant().isAfter(asked.plus(LONGEST_CONNECT))) {
                    lastHeard = clock.instant();
                }
                if (!isInterruption(e.getStatus()) || clock.instant().isAfter(lastHeard.plus(PATIENCE))) {
                    throw e;
                }
            }
            pause();
            coordinator.tryAgain();
        }
    }

    /** A coordinator that is stopped cancels its calls, as gRPC's {@code Server.shutdownNow} resets the streams. */
    private static boolean isInterruption(Status status) {
        return status.getCode() == Status.Code.UNAVAILABLE || status.getCode() == Status.Code.CANCELLED;
    }

    private Optional<Job> take(WatchJobResponse response) {
        switch (response.getChangeCase()) {
            case OUTPUT -> {
                listener.printed(response.getOutput());
                reached(response.getOutput());
            }
            case EVENT -> listener.happened(response.getEvent());
            case JOB -> {
                Job job = response.getJob();
                listener.stands(job);
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

    private void reached(OutputChunk chunk) {
        long end = chunk.getOffset() + chunk.getData().size();
        if (chunk.getStream() == OutputStream.OUTPUT_STREAM_STDOUT) {
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
