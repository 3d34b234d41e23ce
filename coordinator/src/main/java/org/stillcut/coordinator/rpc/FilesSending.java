package org.stillcut.coordinator.rpc;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.files.FilesDesk;
import org.stillcut.coordinator.files.FilesException;
import org.stillcut.coordinator.job.JobLoop;
import org.stillcut.coordinator.membership.AgentRegistry;
import org.stillcut.protocol.coordinator.JobState;
import org.stillcut.v1.FetchFilesRequest;
import org.stillcut.v1.FetchFilesResponse;

/** Sends a user what a job has changed: from its VMs while it runs, afterwards what was kept. Blocks while it does. */
final class FilesSending {
    private static final Logger log = LoggerFactory.getLogger(FilesSending.class);
    private static final int PIECE_BYTES = 256 * 1024;

    private final FilesDesk desk;
    private final AgentRegistry registry;

    FilesSending(FilesDesk desk, AgentRegistry registry) {
        this.desk = desk;
        this.registry = registry;
    }

    /** Answers the call, with the files or with why there are none. */
    void answer(JobLoop loop, FetchFilesRequest request, StreamObserver<FetchFilesResponse> responses, Pacing pacing) {
        try {
            if (JobServiceImpl.isRunning(loop.state())) {
                Path arrived = fetch(loop, request);
                try {
                    send(arrived, responses, pacing);
                } finally {
                    Files.deleteIfExists(arrived);
                }
            } else if (loop.state() instanceof JobState.Ended) {
                send(desk.ofEnded(loop.id()), responses, pacing);
            } else {
                throw precondition("job " + loop.id() + " is " + loop.state().describe());
            }
        } catch (IOException e) {
            log.error("job {}: its files cannot be sent", loop.id(), e);
            responses.onError(
                    Status.INTERNAL.withDescription("the files cannot be read").asRuntimeException());
        } catch (FilesException | StatusRuntimeException e) {
            responses.onError(StatusMapper.status(e));
        }
    }

    private Path fetch(JobLoop loop, FetchFilesRequest request) throws FilesException {
        var job = loop.state().job();
        var link = registry.link(job.placement().launcher())
                .orElseThrow(() -> precondition("job " + loop.id() + " cannot be reached"));
        FilesDesk.Request wanted = desk.request(loop.id());
        link.files(job.incarnation(), wanted.number(), !request.getListOnly(), request.getPathsList());
        try {
            return wanted.arrival().get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof FilesException known) {
                throw known;
            }
            throw Status.UNAVAILABLE
                    .withDescription("the node of job " + loop.id() + " did not send its files in time")
                    .asRuntimeException();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Status.UNAVAILABLE
                    .withDescription("the coordinator is ending")
                    .asRuntimeException();
        }
    }

    private static void send(Path file, StreamObserver<FetchFilesResponse> responses, Pacing pacing)
            throws IOException {
        try (InputStream bytes = Files.newInputStream(file)) {
            for (byte[] piece = bytes.readNBytes(PIECE_BYTES);
                    piece.length > 0;
                    piece = bytes.readNBytes(PIECE_BYTES)) {
                if (!pacing.awaitReady()) {
                    responses.onError(Pacing.tooSlow());
                    return;
                }
                responses.onNext(FetchFilesResponse.newBuilder()
                        .setData(ByteString.copyFrom(piece))
                        .build());
            }
        }
        responses.onCompleted();
    }

    private static StatusRuntimeException precondition(String reason) {
        return Status.FAILED_PRECONDITION.withDescription(reason).asRuntimeException();
    }
}
