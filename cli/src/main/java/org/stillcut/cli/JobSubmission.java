package org.stillcut.cli;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.stillcut.v1.JobSpec;
import org.stillcut.v1.SubmitJobRequest;
import org.stillcut.v1.SubmitJobResponse;

/** Hands a job and its files to the coordinator. Holds no more than one piece of the files in memory at a time. */
final class JobSubmission implements ClientResponseObserver<SubmitJobRequest, SubmitJobResponse> {
    /** How long the coordinator may take for a piece of the files, or to make the job durable. */
    private static final Duration STALL = Duration.ofSeconds(60);

    private final CompletableFuture<SubmitJobResponse> answer = new CompletableFuture<>();
    private final Object readiness = new Object();

    private JobSubmission() {}

    /** Blocks until the coordinator has recorded the job; returns its id. */
    static String submit(CoordinatorConnection coordinator, JobSpec spec, JobFiles files, Progress progress)
            throws IOException {
        JobSubmission submission = new JobSubmission();
        ClientCallStreamObserver<SubmitJobRequest> requests = (ClientCallStreamObserver<SubmitJobRequest>)
                coordinator.asyncJobs().submitJob(submission);
        submission.send(requests, SubmitJobRequest.newBuilder().setSpec(spec).build());
        AtomicLong sentBytes = new AtomicLong();
        files.archive(piece -> {
            submission.send(
                    requests,
                    SubmitJobRequest.newBuilder()
                            .setFilesTar(UnsafeByteOperations.unsafeWrap(piece))
                            .build());
            progress.say(Quantities.readableBytes(sentBytes.addAndGet(piece.length)));
        });
        if (!submission.answer.isDone()) {
            requests.onCompleted();
        }
        try {
            return submission.answer.get(STALL.toSeconds(), TimeUnit.SECONDS).getJobId();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof StatusRuntimeException status
                    ? status
                    : new StatusRuntimeException(Status.fromThrowable(e));
        } catch (TimeoutException e) {
            requests.cancel("no answer", e);
            throw stalled();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            requests.cancel("interrupted", e);
            throw new IOException("interrupted while the job was submitted", e);
        }
    }

    private static StatusRuntimeException stalled() {
        return Status.DEADLINE_EXCEEDED
                .withDescription("the coordinator took nothing of the job for " + STALL.toSeconds()
                        + " s; stillcut status tells whether it came in")
                .asRuntimeException();
    }

    private void send(ClientCallStreamObserver<SubmitJobRequest> requests, SubmitJobRequest request) {
        synchronized (readiness) {
            long start = System.nanoTime();
            while (!requests.isReady() && !answer.isDone()) {
                if (System.nanoTime() - start > STALL.toNanos()) {
                    answer.completeExceptionally(stalled());
                    requests.cancel("stalled", null);
                    return;
                }
                try {
                    readiness.wait(STALL.toMillis());
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    requests.cancel("interrupted", e);
                    return;
                }
            }
        }
        // After a refusal the rest of the files goes nowhere.
        if (!answer.isDone()) {
            requests.onNext(request);
        }
    }

    private void wake() {
        synchronized (readiness) {
            readiness.notifyAll();
        }
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<SubmitJobRequest> requests) {
        requests.setOnReadyHandler(this::wake);
    }

    @Override
    public void onNext(SubmitJobResponse response) {
        answer.complete(response);
        wake();
    }

    @Override
    public void onError(Throwable failure) {
        answer.completeExceptionally(failure);
        wake();
    }

    @Override
    public void onCompleted() {
        answer.completeExceptionally(Status.INTERNAL
                .withDescription("the coordinator gave no answer")
                .asRuntimeException());
        wake();
    }
}
