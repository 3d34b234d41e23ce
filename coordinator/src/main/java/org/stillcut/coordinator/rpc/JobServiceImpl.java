package org.stillcut.coordinator.rpc;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.ExecutorService;
import org.stillcut.coordinator.JobIntake;
import org.stillcut.coordinator.files.FilesDesk;
import org.stillcut.coordinator.job.JobDirectory;
import org.stillcut.coordinator.job.JobLoop;
import org.stillcut.coordinator.membership.AgentRegistry;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.JobState;
import org.stillcut.v1.CancelJobRequest;
import org.stillcut.v1.CancelJobResponse;
import org.stillcut.v1.FetchFilesRequest;
import org.stillcut.v1.FetchFilesResponse;
import org.stillcut.v1.GetJobRequest;
import org.stillcut.v1.GetJobResponse;
import org.stillcut.v1.JobServiceGrpc;
import org.stillcut.v1.ListJobsRequest;
import org.stillcut.v1.ListJobsResponse;
import org.stillcut.v1.SignalJobRequest;
import org.stillcut.v1.SignalJobResponse;
import org.stillcut.v1.SubmitJobRequest;
import org.stillcut.v1.SubmitJobResponse;
import org.stillcut.v1.WatchJobRequest;
import org.stillcut.v1.WatchJobResponse;

/** What the wrapper and the tool ask about jobs. */
public final class JobServiceImpl extends JobServiceGrpc.JobServiceImplBase {
    private static final int MOST_SIGNALS = 64;

    private final JobAccess jobs;
    private final JobIntake intake;
    private final AgentRegistry registry;
    private final ExecutorService watchers;
    private final FilesSending files;

    public JobServiceImpl(
            JobDirectory jobs, JobIntake intake, AgentRegistry registry, FilesDesk files, ExecutorService watchers) {
        this.files = new FilesSending(files, registry);
        this.jobs = new JobAccess(jobs);
        this.intake = intake;
        this.registry = registry;
        this.watchers = watchers;
    }

    @Override
    public StreamObserver<SubmitJobRequest> submitJob(StreamObserver<SubmitJobResponse> responses) {
        return new JobReception(responses, intake, Caller.current().owner());
    }

    @Override
    public void watchJob(WatchJobRequest request, StreamObserver<WatchJobResponse> responses) {
        JobLoop loop;
        try {
            loop = find(request.getJobId());
            if (request.getStdoutOffset() < 0 || request.getStderrOffset() < 0) {
                throw new IllegalArgumentException("not offsets of output: "
                        + Long.toUnsignedString(request.getStdoutOffset()) + ", "
                        + Long.toUnsignedString(request.getStderrOffset()));
            }
        } catch (StatusRuntimeException | IllegalArgumentException e) {
            responses.onError(StatusMapper.status(e));
            return;
        }
        ServerCallStreamObserver<WatchJobResponse> stream = (ServerCallStreamObserver<WatchJobResponse>) responses;
        JobWatch watch = new JobWatch(loop, stream, request);
        watchers.execute(watch);
    }

    @Override
    public void fetchFiles(FetchFilesRequest request, StreamObserver<FetchFilesResponse> responses) {
        try {
            JobLoop loop = find(request.getJobId());
            Pacing pacing = new Pacing((ServerCallStreamObserver<?>) responses);
            watchers.execute(() -> files.answer(loop, request, responses, pacing));
        } catch (StatusRuntimeException e) {
            responses.onError(e);
        }
    }

    @Override
    public void getJob(GetJobRequest request, StreamObserver<GetJobResponse> responses) {
        StatusMapper.answer(
                responses,
                () -> GetJobResponse.newBuilder()
                        .setJob(JobCodec.job(find(request.getJobId())))
                        .build());
    }

    @Override
    public void listJobs(ListJobsRequest request, StreamObserver<ListJobsResponse> responses) {
        StatusMapper.answer(
                responses,
                () -> ListJobsResponse.newBuilder()
                        .addAllJobs(jobs.all().stream().map(JobCodec::summary).toList())
                        .build());
    }

    @Override
    public void signalJob(SignalJobRequest request, StreamObserver<SignalJobResponse> responses) {
        StatusMapper.answer(responses, () -> {
            JobLoop loop = find(request.getJobId());
            if (request.getSignalNumber() < 1 || request.getSignalNumber() > MOST_SIGNALS) {
                throw new IllegalArgumentException("not a signal: " + request.getSignalNumber());
            }
            if (!isRunning(loop.state())) {
                throw Status.FAILED_PRECONDITION
                        .withDescription(
                                "job " + loop.id() + " is " + loop.state().describe())
                        .asRuntimeException();
            }
            var job = loop.state().job();
            var link = registry.link(job.placement().launcher())
                    .orElseThrow(() -> Status.FAILED_PRECONDITION
                            .withDescription("job " + loop.id() + " cannot be reached")
                            .asRuntimeException());
            link.signal(job.incarnation(), request.getSignalNumber());
            return SignalJobResponse.getDefaultInstance();
        });
    }

    @Override
    public void cancelJob(CancelJobRequest request, StreamObserver<CancelJobResponse> responses) {
        StatusMapper.answer(responses, () -> {
            JobLoop loop = find(request.getJobId());
            if (loop.state() instanceof JobState.Ended || loop.state() instanceof JobState.Ending) {
                throw Status.FAILED_PRECONDITION
                        .withDescription("job " + loop.id() + " has ended")
                        .asRuntimeException();
            }
            loop.post(new JobEvent.StopRequested("by its user"));
            return CancelJobResponse.getDefaultInstance();
        });
    }

    /** Whether there is an mpirun that a signal could reach. */
    static boolean isRunning(JobState state) {
        return switch (state) {
            case JobState.Running _, JobState.Checkpointing _, JobState.Committing _, JobState.Aborting _ -> true;
            case JobState.Starting _,
                    JobState.Planning _,
                    JobState.Restarting _,
                    JobState.Lost _,
                    JobState.Ending _,
                    JobState.Ended _ -> false;
        };
    }

    private JobLoop find(String id) {
        if (id.isBlank()) {
            throw Status.INVALID_ARGUMENT.withDescription("no job named").asRuntimeException();
        }
        return JobId.parse(id).flatMap(jobs::find).orElseThrow(() -> unknown(id).asRuntimeException());
    }

    private static Status unknown(String id) {
        return Status.NOT_FOUND.withDescription("no job " + id);
    }
}
