package org.stillcut.cli;

import com.google.protobuf.ByteString;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.stillcut.security.Credentials;
import org.stillcut.v1.CancelJobRequest;
import org.stillcut.v1.CancelJobResponse;
import org.stillcut.v1.Checkpoint;
import org.stillcut.v1.CheckpointServiceGrpc;
import org.stillcut.v1.CreateCheckpointRequest;
import org.stillcut.v1.CreateCheckpointResponse;
import org.stillcut.v1.FetchFilesRequest;
import org.stillcut.v1.FetchFilesResponse;
import org.stillcut.v1.GetCheckpointRequest;
import org.stillcut.v1.GetCheckpointResponse;
import org.stillcut.v1.GetJobRequest;
import org.stillcut.v1.GetJobResponse;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobServiceGrpc;
import org.stillcut.v1.JobSpec;
import org.stillcut.v1.ListCheckpointsRequest;
import org.stillcut.v1.ListCheckpointsResponse;
import org.stillcut.v1.ListJobsRequest;
import org.stillcut.v1.ListJobsResponse;
import org.stillcut.v1.ListNodesRequest;
import org.stillcut.v1.ListNodesResponse;
import org.stillcut.v1.Node;
import org.stillcut.v1.NodeServiceGrpc;
import org.stillcut.v1.OutputChunk;
import org.stillcut.v1.OutputStream;
import org.stillcut.v1.RestartJobRequest;
import org.stillcut.v1.RestartJobResponse;
import org.stillcut.v1.SignalJobRequest;
import org.stillcut.v1.SignalJobResponse;
import org.stillcut.v1.SubmitJobRequest;
import org.stillcut.v1.SubmitJobResponse;
import org.stillcut.v1.WatchJobRequest;
import org.stillcut.v1.WatchJobResponse;

/**
 * A coordinator on a loopback port that knows the jobs, checkpoints and nodes it was given, and answers watchers with a
 * script. Remembers what it was asked.
 */
final class FakeCoordinator implements AutoCloseable {
    private final List<Job> jobs = new ArrayList<>();
    private final List<Checkpoint> checkpoints = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();
    private final List<String> asked = new ArrayList<>();
    private final List<JobSpec> submitted = new ArrayList<>();
    private final ByteArrayOutputStream files = new ByteArrayOutputStream();
    private volatile ByteString changed = ByteString.copyFrom(Samples.noFiles());
    private Status refusal = Status.OK;
    private volatile boolean silent;
    private BiConsumer<WatchJobRequest, StreamObserver<WatchJobResponse>> watch =
            (_, watcher) -> watcher.onError(Status.UNIMPLEMENTED.asRuntimeException());
    private Runnable onCancel = () -> {};
    private final int port;
    private final Optional<Credentials> tls;
    private Server server;

    FakeCoordinator() throws IOException {
        this(Optional.empty());
    }

    /** One that asks for certificates. */
    FakeCoordinator(Optional<Credentials> tls) throws IOException {
        this.tls = tls;
        server = start(0);
        port = server.getPort();
    }

    private Server start(int port) throws IOException {
        NettyServerBuilder builder =
                NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        tls.ifPresent(credentials -> builder.sslContext(credentials.server(_ -> {})));
        return builder.addService(new Jobs())
                .addService(new Checkpoints())
                .addService(new Nodes())
                .build()
                .start();
    }

    String address() {
        return "localhost:" + port;
    }

    void add(Job job) {
        jobs.add(job);
    }

    void add(Checkpoint checkpoint) {
        checkpoints.add(checkpoint);
    }

    void add(Node node) {
        nodes.add(node);
    }

    /** From now on it is there and says nothing. */
    void answerNothing() {
        silent = true;
    }

    /** All calls that change something are answered like this. */
    void refuse(Status status) {
        refusal = status;
    }

    /** What it says that jobs have changed. */
    void onFetch(byte[] files) {
        changed = ByteString.copyFrom(files);
    }

    void onCancel(Runnable action) {
        onCancel = action;
    }

    void onWatch(BiConsumer<WatchJobRequest, StreamObserver<WatchJobResponse>> script) {
        watch = script;
    }

    synchronized List<String> asked() {
        return List.copyOf(asked);
    }

    synchronized List<JobSpec> submitted() {
        return List.copyOf(submitted);
    }

    synchronized byte[] files() {
        return files.toByteArray();
    }

    /** Ends every connection and comes back at the same address. */
    void restart() throws IOException {
        stop();
        server = start(port);
    }

    void stop() {
        server.shutdownNow();
        try {
            server.awaitTermination(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        stop();
    }

    static WatchJobResponse output(OutputStream stream, long offset, String text) {
        return WatchJobResponse.newBuilder()
                .setOutput(OutputChunk.newBuilder()
                        .setStream(stream)
                        .setOffset(offset)
                        .setData(ByteString.copyFromUtf8(text)))
                .build();
    }

    static WatchJobResponse state(Job job) {
        return WatchJobResponse.newBuilder().setJob(job).build();
    }

    private synchronized void note(String what) {
        asked.add(what);
    }

    private synchronized void note(SubmitJobRequest request) {
        switch (request.getPartCase()) {
            case SPEC -> submitted.add(request.getSpec());
            case FILES_TAR -> files.writeBytes(request.getFilesTar().toByteArray());
            case PART_NOT_SET -> asked.add("an empty part");
        }
    }

    private <T> void answer(StreamObserver<T> observer, T response) {
        if (silent) {
            return;
        }
        if (!refusal.isOk()) {
            observer.onError(refusal.asRuntimeException());
            return;
        }
        observer.onNext(response);
        observer.onCompleted();
    }

    private static void missing(StreamObserver<?> observer, String what) {
        observer.onError(Status.NOT_FOUND.withDescription("no " + what).asRuntimeException());
    }

    private final class Jobs extends JobServiceGrpc.JobServiceImplBase {
        @Override
        public StreamObserver<SubmitJobRequest> submitJob(StreamObserver<SubmitJobResponse> observer) {
            return new StreamObserver<>() {
                private boolean refused;

                @Override
                public void onNext(SubmitJobRequest request) {
                    note(request);
                    if (!refusal.isOk() && !refused) {
                        refused = true;
                        observer.onError(refusal.asRuntimeException());
                    }
                }

                @Override
                public void onError(Throwable failure) {
                    note("submission broken");
                }

                @Override
                public void onCompleted() {
                    if (!refused) {
                        answer(
                                observer,
                                SubmitJobResponse.newBuilder()
                                        .setJobId("heat-0001")
                                        .build());
                    }
                }
            };
        }

        @Override
        public void watchJob(WatchJobRequest request, StreamObserver<WatchJobResponse> observer) {
            note("watch " + request.getJobId() + " " + request.getStdoutOffset() + " " + request.getStderrOffset());
            watch.accept(request, observer);
        }

        @Override
        public void getJob(GetJobRequest request, StreamObserver<GetJobResponse> observer) {
            jobs.stream()
                    .filter(job -> job.getJobId().equals(request.getJobId()))
                    .findFirst()
                    .ifPresentOrElse(
                            job -> answer(
                                    observer,
                                    GetJobResponse.newBuilder().setJob(job).build()),
                            () -> missing(observer, "job " + request.getJobId()));
        }

        @Override
        public void listJobs(ListJobsRequest request, StreamObserver<ListJobsResponse> observer) {
            answer(observer, ListJobsResponse.newBuilder().addAllJobs(jobs).build());
        }

        @Override
        public void signalJob(SignalJobRequest request, StreamObserver<SignalJobResponse> observer) {
            note("signal " + request.getJobId() + " " + request.getSignalNumber());
            answer(observer, SignalJobResponse.getDefaultInstance());
        }

        @Override
        public void fetchFiles(FetchFilesRequest request, StreamObserver<FetchFilesResponse> observer) {
            note("files " + request.getJobId() + " " + request.getListOnly() + " " + request.getPathsList());
            answer(observer, FetchFilesResponse.newBuilder().setData(changed).build());
        }

        @Override
        public void cancelJob(CancelJobRequest request, StreamObserver<CancelJobResponse> observer) {
            note("cancel " + request.getJobId());
            onCancel.run();
            answer(observer, CancelJobResponse.getDefaultInstance());
        }
    }

    private final class Checkpoints extends CheckpointServiceGrpc.CheckpointServiceImplBase {
        @Override
        public void createCheckpoint(
                CreateCheckpointRequest request, StreamObserver<CreateCheckpointResponse> observer) {
            note((request.getTerminate() ? "suspend " : "checkpoint ") + request.getJobId());
            answer(
                    observer,
                    CreateCheckpointResponse.newBuilder()
                            .setCheckpoint(checkpoints.getLast())
                            .build());
        }

        @Override
        public void listCheckpoints(ListCheckpointsRequest request, StreamObserver<ListCheckpointsResponse> observer) {
            note("list '" + request.getJobId() + "'");
            answer(
                    observer,
                    ListCheckpointsResponse.newBuilder()
                            .addAllCheckpoints(checkpoints)
                            .build());
        }

        @Override
        public void getCheckpoint(GetCheckpointRequest request, StreamObserver<GetCheckpointResponse> observer) {
            note("show " + request.getReference());
            answer(
                    observer,
                    GetCheckpointResponse.newBuilder()
                            .setCheckpoint(checkpoints.getLast())
                            .setSpec(JobSpec.newBuilder()
                                    .setWorkingDirectory("/home/user/run")
                                    .addMpirunArguments("-np")
                                    .addMpirunArguments("2")
                                    .addMpirunArguments("./heat"))
                            .build());
        }

        @Override
        public void restartJob(RestartJobRequest request, StreamObserver<RestartJobResponse> observer) {
            note("restart " + request.getReference() + " on " + request.getNodesList());
            answer(
                    observer,
                    RestartJobResponse.newBuilder()
                            .setJob(jobs.getFirst())
                            .setSequence(2)
                            .build());
        }
    }

    private final class Nodes extends NodeServiceGrpc.NodeServiceImplBase {
        @Override
        public void listNodes(ListNodesRequest request, StreamObserver<ListNodesResponse> observer) {
            answer(observer, ListNodesResponse.newBuilder().addAllNodes(nodes).build());
        }
    }
}
