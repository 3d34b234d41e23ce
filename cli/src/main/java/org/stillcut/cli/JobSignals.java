package org.stillcut.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import org.stillcut.v1.CancelJobRequest;
import org.stillcut.v1.SignalJobRequest;

/**
 * What the wrapper does at a signal: the one that ends mpirun is handed to the mpirun in the VMs, which ends its ranks as it
 * wants to; when it does not, or at a second one, the job is cancelled. Others are handed on. Tells in a line each time what
 * happens. Thread-safe.
 */
final class JobSignals implements AutoCloseable {
    /** A shell's exit status for a program that a signal ended. */
    private static final int SIGNALLED = 128;

    /** Signals come one after the other: who presses Ctrl-C again is not to wait long for a coordinator that hangs. */
    private static final int ANSWER_SECONDS = 5;

    private final CoordinatorConnection coordinator;
    private final Duration grace;
    private final IntConsumer exit;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("grace").daemon().factory());
    private @Nullable String jobId;
    private int endings;
    private int lastEnding;
    private boolean over;
    private ProcessSignals.@Nullable Kind checkpointing;
    private @Nullable CheckpointRequests requests;

    /**
     * Makes one that knows of no job yet.
     *
     * @param grace how long an interrupted job may take to end before it is cancelled
     * @param exit ends the process with this status; used when there is no job to wait for
     */
    JobSignals(CoordinatorConnection coordinator, Duration grace, IntConsumer exit) {
        this.coordinator = coordinator;
        this.grace = grace;
        this.exit = exit;
    }

    /** From now on signals are this job's. */
    synchronized void follow(String id) {
        jobId = id;
    }

    /** That signal takes a checkpoint from now on. */
    synchronized void checkpointAt(ProcessSignals.Kind kind, CheckpointRequests taker) {
        checkpointing = kind;
        requests = taker;
    }

    /** The signal that was to end the job, once there was one. */
    synchronized Optional<Integer> ending() {
        return endings == 0 ? Optional.empty() : Optional.of(lastEnding);
    }

    /** Does what is to be done; calls the coordinator and waits for its answer. */
    synchronized void take(int number) {
        boolean ends =
                Arrays.stream(ProcessSignals.Kind.values()).anyMatch(kind -> kind.number() == number && kind.ends());
        if (over) {
            return;
        }
        if (ends) {
            end(number);
        } else if (jobId != null && requests != null && checkpointing != null && checkpointing.number() == number) {
            requests.take(jobId);
        } else if (jobId != null) {
            say("forwarding signal " + number + " to job " + jobId);
            tell(jobId, number).ifPresent(e -> say("signal " + number + ": " + coordinator.describe(e)));
        }
    }

    private void end(int number) {
        endings++;
        lastEnding = number;
        String job = jobId;
        if (job == null) {
            say("interrupted by signal " + number + " before the job was submitted");
            exit.accept(SIGNALLED + number);
        } else if (endings == 1) {
            interrupt(job, number);
        } else if (endings == 2) {
            cancel(job, "signal " + number + " again: cancelling job " + job);
        } else {
            say("not waiting for job " + job + " any longer; stillcut status " + job + " tells how it ended");
            exit.accept(SIGNALLED + number);
        }
    }

    private void interrupt(String job, int number) {
        Optional<StatusRuntimeException> failure = tell(job, number);
        if (failure.isEmpty()) {
            say("signal " + number + " handed to job " + job + "; waiting up to " + grace.toSeconds()
                    + " s for its end (again: cancel it now)");
            ScheduledFuture<?> ignored = timer.schedule(this::lose, grace.toMillis(), TimeUnit.MILLISECONDS);
        } else if (failure.get().getStatus().getCode() == Status.Code.FAILED_PRECONDITION) {
            cancel(job, "signal " + number + ": job " + job + " cannot take it now: cancelling it");
        } else {
            unreachable(job, number, failure.get());
        }
    }

    private synchronized void lose() {
        String job = jobId;
        if (!over && endings == 1 && job != null) {
            cancel(job, "job " + job + " did not end within " + grace.toSeconds() + " s: cancelling it");
        }
    }

    private void cancel(String job, String why) {
        say(why);
        try {
            coordinator
                    .jobs()
                    .withDeadlineAfter(ANSWER_SECONDS, TimeUnit.SECONDS)
                    .cancelJob(CancelJobRequest.newBuilder().setJobId(job).build());
        } catch (StatusRuntimeException e) {
            // It has ended meanwhile; whoever follows it sees that.
            if (e.getStatus().getCode() != Status.Code.FAILED_PRECONDITION) {
                unreachable(job, lastEnding, e);
            }
        }
    }

    private void unreachable(String job, int number, StatusRuntimeException failure) {
        say("job " + job + " was not ended and goes on: " + coordinator.describe(failure) + "; stillcut cancel " + job
                + " ends it");
        exit.accept(SIGNALLED + number);
    }

    private Optional<StatusRuntimeException> tell(String job, int number) {
        try {
            coordinator
                    .jobs()
                    .withDeadlineAfter(ANSWER_SECONDS, TimeUnit.SECONDS)
                    .signalJob(SignalJobRequest.newBuilder()
                            .setJobId(job)
                            .setSignalNumber(number)
                            .build());
            return Optional.empty();
        } catch (StatusRuntimeException e) {
            return Optional.of(e);
        }
    }

    private static void say(String line) {
        System.err.println("mpirun: " + line);
    }

    /** The job has ended, or is not followed any longer: what comes now is ignored. */
    @Override
    public synchronized void close() {
        over = true;
        timer.shutdownNow();
    }
}
