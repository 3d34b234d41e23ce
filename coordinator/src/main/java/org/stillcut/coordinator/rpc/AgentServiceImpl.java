package org.stillcut.coordinator.rpc;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.JobIntake;
import org.stillcut.coordinator.job.JobDirectory;
import org.stillcut.coordinator.membership.AgentRegistry;
import org.stillcut.protocol.JobId;
import org.stillcut.v1.AgentServiceGrpc;
import org.stillcut.v1.FetchJobFilesRequest;
import org.stillcut.v1.FetchJobFilesResponse;
import org.stillcut.v1.SessionRequest;
import org.stillcut.v1.SessionResponse;

/** What agents call. */
public final class AgentServiceImpl extends AgentServiceGrpc.AgentServiceImplBase {
    private static final Logger log = LoggerFactory.getLogger(AgentServiceImpl.class);
    private static final int PIECE_BYTES = 256 * 1024;

    private final AgentRegistry registry;
    private final JobDirectory jobs;
    private final JobIntake intake;

    public AgentServiceImpl(AgentRegistry registry, JobDirectory jobs, JobIntake intake) {
        this.registry = registry;
        this.jobs = jobs;
        this.intake = intake;
    }

    @Override
    public StreamObserver<SessionRequest> session(StreamObserver<SessionResponse> responses) {
        return new AgentSession(responses, registry, jobs);
    }

    @Override
    public void fetchJobFiles(FetchJobFilesRequest request, StreamObserver<FetchJobFilesResponse> responses) {
        Path files = jobs.find(new JobId(request.getJobId()))
                .map(loop -> intake.filesOf(loop.id()))
                .orElse(null);
        if (files == null) {
            responses.onError(Status.NOT_FOUND
                    .withDescription("no job " + request.getJobId())
                    .asRuntimeException());
            return;
        }
        Pacing pacing = new Pacing((ServerCallStreamObserver<?>) responses);
        try (InputStream bytes = Files.newInputStream(files)) {
            for (byte[] piece = bytes.readNBytes(PIECE_BYTES);
                    piece.length > 0 && pacing.awaitReady();
                    piece = bytes.readNBytes(PIECE_BYTES)) {
                responses.onNext(FetchJobFilesResponse.newBuilder()
                        .setData(ByteString.copyFrom(piece))
                        .build());
            }
            responses.onCompleted();
        } catch (IOException e) {
            log.error("files of job {} cannot be read", request.getJobId(), e);
            responses.onError(Status.INTERNAL
                    .withDescription("the job's files cannot be read")
                    .asRuntimeException());
        }
    }
}
