package org.stillcut.agent.rpc;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.stillcut.agent.guest.GuestException;
import org.stillcut.agent.runtime.CoordinatorLink;
import org.stillcut.protocol.Incarnation;
import org.stillcut.v1.AgentServiceGrpc;
import org.stillcut.v1.DeliverFilesRequest;
import org.stillcut.v1.DeliverFilesResponse;

/** One delivery of files to the coordinator. Holds no more than a piece of them in memory. */
final class FilesUpload implements ClientResponseObserver<DeliverFilesRequest, DeliverFilesResponse> {
    /** How long the coordinator may take for a piece, or to make all of it durable. */
    private static final Duration STALL = Duration.ofSeconds(60);

    private final CompletableFuture<DeliverFilesResponse> answer = new CompletableFuture<>();
    private final Object readiness = new Object();

    private FilesUpload() {}

    /**
     * Sends the files, or why there are none.
     *
     * @return whether they were whole
     */
    static boolean send(
            AgentServiceGrpc.AgentServiceStub coordinator,
            Incarnation incarnation,
            long request,
            CoordinatorLink.FilesContent content)
            throws IOException, InterruptedException {
        FilesUpload upload = new FilesUpload();
        ClientCallStreamObserver<DeliverFilesRequest> requests =
                (ClientCallStreamObserver<DeliverFilesRequest>) coordinator.deliverFiles(upload);
        boolean whole = false;
        try {
            whole = upload.send(requests, header(incarnation, request), content);
            requests.onCompleted();
            DeliverFilesResponse response = upload.answer.get(STALL.toMillis(), TimeUnit.MILLISECONDS);
            return whole && response.isInitialized();
        } catch (ExecutionException e) {
            throw new IOException("the coordinator does not take files: " + e.getCause(), e);
        } catch (TimeoutException e) {
            throw new IOException("the coordinator took nothing for " + STALL.toSeconds() + " s", e);
        } finally {
            if (!upload.answer.isDone()) {
                requests.cancel("given up", null);
            }
        }
    }

    private static DeliverFilesRequest header(Incarnation incarnation, long request) {
        return DeliverFilesRequest.newBuilder()
                .setIncarnation(WireCodec.incarnation(incarnation))
                .setRequest(request)
                .build();
    }

    private boolean send(
            ClientCallStreamObserver<DeliverFilesRequest> requests,
            DeliverFilesRequest header,
            CoordinatorLink.FilesContent content)
            throws IOException, InterruptedException {
        awaitRoom(requests);
        requests.onNext(header);
        try {
            content.writeTo(piece -> {
                awaitRoom(requests);
                requests.onNext(DeliverFilesRequest.newBuilder()
                        .setData(UnsafeByteOperations.unsafeWrap(piece))
                        .build());
            });
            return true;
        } catch (GuestException e) {
            requests.onNext(DeliverFilesRequest.newBuilder()
                    .setFailure(Objects.toString(e.getMessage()))
                    .build());
            return false;
        }
    }

    private void awaitRoom(ClientCallStreamObserver<DeliverFilesRequest> requests) throws IOException {
        long began = System.nanoTime();
        synchronized (readiness) {
            while (!requests.isReady() && !answer.isDone()) {
                if (System.nanoTime() - began > STALL.toNanos()) {
                    throw new IOException("the coordinator took nothing for " + STALL.toSeconds() + " s");
                }
                try {
                    readiness.wait(STALL.toMillis());
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IOException("interrupted", e);
                }
            }
        }
        if (answer.isDone()) {
            throw new IOException("the coordinator takes no more of the files");
        }
    }

    private void wake() {
        synchronized (readiness) {
            readiness.notifyAll();
        }
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<DeliverFilesRequest> requests) {
        requests.setOnReadyHandler(this::wake);
    }

    @Override
    public void onNext(DeliverFilesResponse response) {
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
        answer.completeExceptionally(new IOException("no answer"));
        wake();
    }
}
