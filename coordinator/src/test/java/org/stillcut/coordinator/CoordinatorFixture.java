package org.stillcut.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.StoreEnvironment;
import org.stillcut.v1.CheckpointServiceGrpc;
import org.stillcut.v1.CreateCheckpointRequest;
import org.stillcut.v1.GetJobRequest;
import org.stillcut.v1.Incarnation;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.JobServiceGrpc;
import org.stillcut.v1.JobSpec;
import org.stillcut.v1.ListNodesRequest;
import org.stillcut.v1.NodeServiceGrpc;
import org.stillcut.v1.SubmitJobRequest;
import org.stillcut.v1.SubmitJobResponse;
import org.stillcut.v1.WatchJobRequest;
import org.stillcut.v1.WatchJobResponse;

/** A whole coordinator on its unix socket, with what tests need to drive it. */
abstract class CoordinatorFixture {
    /** No test may bring a coordinator to its end. */
    static final Runnable GIVES_UP = () -> {
        throw new AssertionError("the coordinator gave up");
    };

    static final int DISK_BYTES = 16 << 20;

    @TempDir
    Path directory;

    final EventLoopGroup eventLoop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    Coordinator coordinator;
    ManagedChannel channel;
    FakeAgent a;
    FakeAgent b;

    @BeforeEach
    void begin() throws Exception {
        openCoordinator(directory.resolve("state"));
        var repository = Repository.openCatalog(directory.resolve("repository"), StoreEnvironment.system());
        a = new FakeAgent("a", repository);
        b = new FakeAgent("b", repository);
        a.join(channel);
        b.join(channel);
        awaitNodes(2);
    }

    @AfterEach
    void end() {
        closeCoordinator();
        eventLoop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
    }

    CoordinatorConfig config(Path state, Optional<InetSocketAddress> listen) {
        return new CoordinatorConfig(
                state,
                directory.resolve("repository"),
                directory.resolve("c.sock"),
                listen,
                Optional.empty(),
                Optional.empty(),
                Duration.ofSeconds(20));
    }

    final void openCoordinator(Path state) throws Exception {
        coordinator = Coordinator.open(config(state, Optional.empty()), GIVES_UP);
        channel = NettyChannelBuilder.forAddress(
                        new DomainSocketAddress(directory.resolve("c.sock").toString()))
                .eventLoopGroup(eventLoop)
                .channelType(EpollDomainSocketChannel.class)
                .usePlaintext()
                .build();
    }

    void closeCoordinator() {
        coordinator.close();
        channel.shutdownNow();
    }

    JobServiceGrpc.JobServiceBlockingStub jobs() {
        return JobServiceGrpc.newBlockingStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS);
    }

    CheckpointServiceGrpc.CheckpointServiceBlockingStub checkpoints() {
        return CheckpointServiceGrpc.newBlockingStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS);
    }

    void awaitNodes(int count) throws Exception {
        Eventually.see(
                count + " nodes",
                () -> NodeServiceGrpc.newBlockingStub(channel)
                        .listNodes(ListNodesRequest.getDefaultInstance())
                        .getNodesList(),
                nodes -> nodes.size() == count);
    }

    static JobSpec spec() {
        return JobSpec.newBuilder()
                .setName("solver")
                .addMpirunArguments("./solver")
                .setWorkingDirectory("/home/user/run")
                .setVmCount(2)
                .setVcpusPerVm(5)
                .setMemoryBytesPerVm(256 << 20)
                .setDiskBytesPerVm(DISK_BYTES)
                .setImage("base")
                .setMaxRestarts(1)
                .setSlotsPerVm(1)
                .build();
    }

    static SubmitJobRequest part(JobSpec spec) {
        return SubmitJobRequest.newBuilder().setSpec(spec).build();
    }

    static SubmitJobRequest part(byte[] files) {
        return SubmitJobRequest.newBuilder()
                .setFilesTar(ByteString.copyFrom(files))
                .build();
    }

    String submit(SubmitJobRequest... parts) throws Exception {
        CompletableFuture<String> id = new CompletableFuture<>();
        StreamObserver<SubmitJobRequest> requests = JobServiceGrpc.newStub(channel)
                .submitJob(new StreamObserver<>() {
                    @Override
                    public void onNext(SubmitJobResponse response) {
                        id.complete(response.getJobId());
                    }

                    @Override
                    public void onError(Throwable failure) {
                        id.completeExceptionally(failure);
                    }

                    @Override
                    public void onCompleted() {
                        id.completeExceptionally(new IllegalStateException("no answer"));
                    }
                });
        for (SubmitJobRequest part : parts) {
            requests.onNext(part);
        }
        requests.onCompleted();
        try {
            return id.get(60, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    Job job(String id) {
        return jobs().getJob(GetJobRequest.newBuilder().setJobId(id).build()).getJob();
    }

    Job await(String id, JobPhase phase) throws Exception {
        return Eventually.see(phase.name(), () -> job(id), job -> job.getPhase() == phase);
    }

    String running() throws Exception {
        String id = submit(part(spec()), part(new byte[] {1, 2, 3}));
        await(id, JobPhase.JOB_PHASE_RUNNING);
        return id;
    }

    long checkpoint(String id) {
        return checkpoints()
                .createCheckpoint(
                        CreateCheckpointRequest.newBuilder().setJobId(id).build())
                .getCheckpoint()
                .getSequence();
    }

    static Incarnation incarnation(String id, long epoch) {
        return Incarnation.newBuilder().setJobId(id).setEpoch(epoch).build();
    }

    static void assertStatus(Status.Code code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        StatusRuntimeException.class,
                        e -> assertThat(e.getStatus().getCode()).isEqualTo(code));
    }

    List<Path> homes() throws IOException {
        try (var files = Files.list(directory.resolve("state/jobs"))) {
            return files.toList();
        }
    }

    String watched(String id, long offset) {
        Iterator<WatchJobResponse> changes = jobs().watchJob(WatchJobRequest.newBuilder()
                .setJobId(id)
                .setStdoutOffset(offset)
                .build());
        StringBuilder text = new StringBuilder();
        while (changes.hasNext()) {
            text.append(changes.next().getOutput().getData().toStringUtf8());
        }
        return text.toString();
    }
}
