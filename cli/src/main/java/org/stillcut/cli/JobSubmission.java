package org.stillcut.cli;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.stillcut.v1.JobSpec;
import org.stillcut.v1.SubmitJobRequest;
import org.stillcut.v1.SubmitJobResponse;

/** Hands a job and its files to the coordinator. Holds no more than one piece of the files in memory at a time. */
final class JobSubmission implements ClientResponseObserver<SubmitJobRequest, SubmitJobResponse> {
    private final CompletableFuture<SubmitJobResponse> answer = new CompletableFuture<>();
    private final Object readiness = new Object();

    private JobSubmission() {}

    /** Blocks until the coordinator has recorded the job; returns its id. */
    static String submit(CoordinatorConnection coordinator, JobSpec spec, JobFiles files) throws IOException {
        JobSubmission submission = new JobSubmission();
        ClientCallStreamObserver<SubmitJobRequest> requests = (ClientCallStreamObserver<SubmitJobRequest>)
                coordinator.asyncJobs().submitJob(submission);
        submission.send(requests, SubmitJobRequest.newBuilder().setSpec(spec).build());
        files.archive(piece -> submission.send(
                requests,
                SubmitJobRequest.newBuilder()
                        .setFilesTar(UnsafeByteOperations.unsafeWrap(piece))
                        .build()));
        if (!submission.answer.isDone()) {
            requests.onCompleted();
        }
        try {
            return submission.answer.join().getJobId();
        } catch (CompletionException e) {
            throw e.getCause() instanceof StatusRuntimeException status
                    ? status
                    : new StatusRuntimeException(Status.fromThrowable(e));
        }
    }

    private void send(ClientCallStreamObserver<SubmitJobRequest> requests, SubmitJobRequest request) {
        synchronized (readiness) {
            while (!requests.isReady() && !answer.isDone()) {
                try {
                    readiness.wait();
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
