package org.stillcut.cli;

import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.stillcut.v1.Checkpoint;
import org.stillcut.v1.CreateCheckpointRequest;

/**
 * Checkpoints that the wrapper asks for by itself: at a signal, and before a time limit. Thread-safe; nothing blocks the
 * caller. Tells in a line what has become of each.
 */
final class CheckpointRequests implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(15);
    private static final Duration BETWEEN_TRIES = Duration.ofSeconds(5);
    private static final int MOST_TRIES = 5;

    private final CoordinatorConnection coordinator;
    private final InstantSource clock;
    private final ScheduledExecutorService worker = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("checkpoints").daemon().factory());

    CheckpointRequests(CoordinatorConnection coordinator, InstantSource clock) {
        this.coordinator = coordinator;
        this.clock = clock;
    }

    /** Takes a checkpoint. */
    void take(String job) {
        worker.execute(() -> request(job, false));
    }

    /** Suspends the job at that time; when it cannot be checkpointed then, a few times more. */
    void suspendAt(String job, Instant time) {
        schedule(job, Duration.between(clock.instant(), time), 1);
    }

    private void schedule(String job, Duration delay, int attempt) {
        ScheduledFuture<?> ignored = worker.schedule(
                () -> {
                    if (!request(job, true) && attempt < MOST_TRIES) {
                        schedule(job, BETWEEN_TRIES, attempt + 1);
                    }
                },
                Math.max(0, delay.toMillis()),
                TimeUnit.MILLISECONDS);
    }

    private boolean request(String job, boolean terminate) {
        try {
            Checkpoint checkpoint = coordinator
                    .checkpoints()
                    .withDeadlineAfter(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                    .createCheckpoint(CreateCheckpointRequest.newBuilder()
                            .setJobId(job)
                            .setTerminate(terminate)
                            .build())
                    .getCheckpoint();
            System.err.println("stillcut: "
                    + String.format("Snapshot Ref.: %3d %s", checkpoint.getSequence(), Report.reference(checkpoint)));
            return true;
        } catch (StatusRuntimeException e) {
            System.err.println("mpirun: no checkpoint of job " + job + ": " + coordinator.describe(e));
            return false;
        }
    }

    @Override
    public void close() {
        worker.shutdownNow();
    }
}
