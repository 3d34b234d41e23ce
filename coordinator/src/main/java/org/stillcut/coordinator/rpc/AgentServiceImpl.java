package org.stillcut.coordinator.rpc;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.JobIntake;
import org.stillcut.coordinator.files.FilesDesk;
import org.stillcut.coordinator.job.JobDirectory;
import org.stillcut.coordinator.job.JobLoop;
import org.stillcut.coordinator.membership.AgentEntry;
import org.stillcut.protocol.JobId;
import org.stillcut.v1.AgentServiceGrpc;
import org.stillcut.v1.DeliverFilesRequest;
import org.stillcut.v1.DeliverFilesResponse;
import org.stillcut.v1.FetchJobFilesRequest;
import org.stillcut.v1.FetchJobFilesResponse;
import org.stillcut.v1.SessionRequest;
import org.stillcut.v1.SessionResponse;

/** What agents call. */
public final class AgentServiceImpl extends AgentServiceGrpc.AgentServiceImplBase {
    private static final Logger log = LoggerFactory.getLogger(AgentServiceImpl.class);
    private static final int PIECE_BYTES = 256 * 1024;

    private final JobDirectory jobs;
    private final JobIntake intake;
    private final ExecutorService senders;
    private final AgentEntry entry;
    private final FilesDesk files;

    public AgentServiceImpl(
            AgentEntry entry, JobDirectory jobs, JobIntake intake, FilesDesk files, ExecutorService senders) {
        this.entry = entry;
        this.files = files;
        this.jobs = jobs;
        this.intake = intake;
        this.senders = senders;
    }

    @Override
    public StreamObserver<SessionRequest> session(StreamObserver<SessionResponse> responses) {
        AgentSession session = new AgentSession(responses, entry, jobs, Caller.current());
        // With a handler, gRPC drops what is sent into a broken session; without one, it throws into the loop that
        // sends.
        ((ServerCallStreamObserver<SessionResponse>) responses).setOnCancelHandler(session::broken);
        return session;
    }

    @Override
    public StreamObserver<DeliverFilesRequest> deliverFiles(StreamObserver<DeliverFilesResponse> responses) {
        Caller caller = Caller.current();
        return new FilesReception(responses, files, id -> jobs.find(id).filter(loop -> isOn(caller, loop)));
    }

    @Override
    public void fetchJobFiles(FetchJobFilesRequest request, StreamObserver<FetchJobFilesResponse> responses) {
        Caller caller = Caller.current();
        Optional<JobId> job = JobId.parse(request.getJobId())
                .flatMap(jobs::find)
                .filter(loop -> isOn(caller, loop))
                .map(JobLoop::id);
        if (job.isEmpty()) {
            responses.onError(Status.NOT_FOUND
                    .withDescription("no job " + request.getJobId())
                    .asRuntimeException());
            return;
        }
        Pacing pacing = new Pacing((ServerCallStreamObserver<?>) responses);
        // gRPC tells that the agent can take more only after this method has returned.
        senders.execute(() -> send(job.get(), responses, pacing));
    }

    /** A node has no business with the files of jobs that have no VM on it. */
    private static boolean isOn(Caller caller, JobLoop loop) {
        return loop.state().job().placement().agents().stream().anyMatch(caller::isAgent);
    }

    private void send(JobId job, StreamObserver<FetchJobFilesResponse> responses, Pacing pacing) {
        try (InputStream bytes = Files.newInputStream(intake.filesOf(job))) {
            for (byte[] piece = bytes.readNBytes(PIECE_BYTES);
                    piece.length > 0;
                    piece = bytes.readNBytes(PIECE_BYTES)) {
                if (!pacing.awaitReady()) {
                    // An archive that is cut must not look like a whole one.
                    responses.onError(Pacing.tooSlow());
                    return;
                }
                responses.onNext(FetchJobFilesResponse.newBuilder()
                        .setData(ByteString.copyFrom(piece))
                        .build());
            }
            responses.onCompleted();
        } catch (IOException e) {
            log.error("files of job {} cannot be read", job, e);
            responses.onError(Status.INTERNAL
                    .withDescription("the job's files cannot be read")
                    .asRuntimeException());
        }
    }
}
