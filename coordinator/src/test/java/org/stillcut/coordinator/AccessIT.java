package org.stillcut.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.security.Credentials;
import org.stillcut.security.Identity;
import org.stillcut.security.Role;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.StoreEnvironment;
import org.stillcut.v1.AgentServiceGrpc;
import org.stillcut.v1.CancelJobRequest;
import org.stillcut.v1.CheckpointServiceGrpc;
import org.stillcut.v1.CreateCheckpointRequest;
import org.stillcut.v1.FetchJobFilesRequest;
import org.stillcut.v1.GetCheckpointRequest;
import org.stillcut.v1.GetJobRequest;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.JobServiceGrpc;
import org.stillcut.v1.Join;
import org.stillcut.v1.ListCheckpointsRequest;
import org.stillcut.v1.ListNodesRequest;
import org.stillcut.v1.NodeDescription;
import org.stillcut.v1.NodeServiceGrpc;
import org.stillcut.v1.ProtocolVersion;
import org.stillcut.v1.RestartJobRequest;
import org.stillcut.v1.SessionRequest;
import org.stillcut.v1.SessionResponse;
import org.stillcut.v1.SignalJobRequest;
import org.stillcut.v1.WatchJobRequest;

/** Who may do what, by certificates over real connections on loopback. */
@Timeout(120)
class AccessIT extends AccessFixture {
    private String runningAs(ManagedChannel caller) throws Exception {
        ManagedChannel before = channel;
        channel = caller;
        try {
            return running();
        } finally {
            channel = before;
        }
    }

    /** Every call that names a job, by somebody who must not know that it exists. */
    private static List<ThrowingCallable> callsOn(ManagedChannel caller, String id) {
        var jobs = JobServiceGrpc.newBlockingStub(caller);
        var checkpoints = CheckpointServiceGrpc.newBlockingStub(caller);
        return List.of(
                () -> jobs.getJob(GetJobRequest.newBuilder().setJobId(id).build()),
                () -> jobs.watchJob(WatchJobRequest.newBuilder().setJobId(id).build())
                        .hasNext(),
                () -> jobs.signalJob(SignalJobRequest.newBuilder()
                        .setJobId(id)
                        .setSignalNumber(15)
                        .build()),
                () -> jobs.cancelJob(CancelJobRequest.newBuilder().setJobId(id).build()),
                () -> checkpoints.createCheckpoint(
                        CreateCheckpointRequest.newBuilder().setJobId(id).build()),
                () -> checkpoints.listCheckpoints(
                        ListCheckpointsRequest.newBuilder().setJobId(id).build()),
                () -> checkpoints.getCheckpoint(
                        GetCheckpointRequest.newBuilder().setReference(id).build()),
                () -> checkpoints.getCheckpoint(GetCheckpointRequest.newBuilder()
                        .setReference(id + "@1")
                        .build()),
                () -> checkpoints.restartJob(
                        RestartJobRequest.newBuilder().setReference(id).build()));
    }

    private static String refusal(ThrowingCallable call) {
        List<String> description = new ArrayList<>();
        assertThatThrownBy(call).isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
            assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
            description.add(String.valueOf(e.getStatus().getDescription()));
        });
        return description.getFirst();
    }

    @Test
    void usersSeeAndTouchOnlyTheirOwnJobs() throws Exception {
        ManagedChannel anna = as(Role.USER, "anna");
        ManagedChannel bert = as(Role.USER, "bert");
        ManagedChannel operator = as(Role.OPERATOR, "root");
        String id = runningAs(anna);
        long sequence = checkpoint(id);
        assertThat(sequence).isEqualTo(1);
        assertThat(jobsSeenBy(anna)).containsExactly(id);
        assertThat(jobsSeenBy(operator)).containsExactly(id);
        assertThat(jobsSeenBy(channel)).containsExactly(id);
        assertThat(jobsSeenBy(bert)).isEmpty();
        assertThat(job(id).getOwner()).isEqualTo("anna");
        List<ThrowingCallable> onAnnas = callsOn(bert, id);
        List<ThrowingCallable> onNone = callsOn(bert, "none-0");
        for (int i = 0; i < onAnnas.size(); i++) {
            // Not even the words tell that there is such a job.
            assertThat(refusal(onAnnas.get(i)).replace(id, "X"))
                    .isEqualTo(refusal(onNone.get(i)).replace("none-0", "X"));
        }
        assertThat(CheckpointServiceGrpc.newBlockingStub(bert)
                        .listCheckpoints(ListCheckpointsRequest.getDefaultInstance())
                        .getCheckpointsList())
                .isEmpty();
        for (ManagedChannel mayKnow : List.of(anna, operator)) {
            assertThat(CheckpointServiceGrpc.newBlockingStub(mayKnow)
                            .listCheckpoints(ListCheckpointsRequest.getDefaultInstance())
                            .getCheckpointsList())
                    .hasSize(1);
        }
        assertThat(job(id).getPhase()).isEqualTo(JobPhase.JOB_PHASE_RUNNING);
        JobServiceGrpc.newBlockingStub(anna)
                .cancelJob(CancelJobRequest.newBuilder().setJobId(id).build());
        await(id, JobPhase.JOB_PHASE_ENDED);
    }

    @Test
    void jobsOfTheMachineItselfAreTheOperatorsBusiness() throws Exception {
        String id = running();
        assertThat(jobsSeenBy(as(Role.USER, "anna"))).isEmpty();
        assertThat(jobsSeenBy(as(Role.OPERATOR, "root"))).containsExactly(id);
        assertThat(job(id).getOwner()).isEmpty();
    }

    @Test
    void ownerOutlivesTheCoordinator() throws Exception {
        String id = runningAs(as(Role.USER, "anna"));
        closeCoordinator();
        openCoordinator(directory.resolve("state"));
        ManagedChannel anna = to(
                "127.0.0.1", Credentials.load(authority("ca").placeOf(new Identity(Role.USER, "anna")), Instant.now()));
        assertThat(jobsSeenBy(anna)).containsExactly(id);
        assertThat(jobsSeenBy(as(Role.USER, "bert"))).isEmpty();
    }

    @Test
    void rolesAreHeldApart() throws Exception {
        ManagedChannel agent = as(Role.AGENT, "c");
        assertStatus(Status.Code.PERMISSION_DENIED, () -> jobsSeenBy(agent));
        assertStatus(
                Status.Code.PERMISSION_DENIED,
                () -> NodeServiceGrpc.newBlockingStub(agent).listNodes(ListNodesRequest.getDefaultInstance()));
        for (Role role : List.of(Role.USER, Role.OPERATOR)) {
            ManagedChannel person = as(role, "p");
            assertThat(joining(person, "p").getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
            assertStatus(
                    Status.Code.PERMISSION_DENIED,
                    () -> AgentServiceGrpc.newBlockingStub(person)
                            .fetchJobFiles(FetchJobFilesRequest.getDefaultInstance())
                            .hasNext());
        }
    }

    @Test
    void anybodyWithACertificateMayAskForItsHealth() throws Exception {
        for (Role role : List.of(Role.USER, Role.OPERATOR, Role.AGENT)) {
            assertThat(HealthGrpc.newBlockingStub(as(role, "h"))
                            .check(HealthCheckRequest.getDefaultInstance())
                            .getStatus())
                    .isEqualTo(HealthCheckResponse.ServingStatus.SERVING);
        }
    }

    @Test
    void metricsShowWhatHasHappened() throws Exception {
        String id = running();
        checkpoint(id);
        URI address = URI.create("http://127.0.0.1:" + coordinator.metricsPort() + "/metrics");
        try (HttpClient client = HttpClient.newHttpClient()) {
            String page = client.send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString())
                    .body();
            assertThat(page.lines())
                    .contains(
                            "stillcut_checkpoints_total{outcome=\"committed\"} 1.0",
                            // Two fake snapshots of seven bytes each.
                            "stillcut_checkpoint_stored_bytes_total 14.0",
                            "stillcut_checkpoint_pause_seconds_count 1",
                            "stillcut_jobs{phase=\"running\"} 1.0",
                            "stillcut_nodes{state=\"up\"} 2.0");
        }
    }

    /** How a session ends that begins with such a join. */
    private static Status joining(ManagedChannel caller, String node) throws Exception {
        CompletableFuture<Status> end = new CompletableFuture<>();
        StreamObserver<SessionRequest> requests = AgentServiceGrpc.newStub(caller)
                .session(new StreamObserver<>() {
                    @Override
                    public void onNext(SessionResponse response) {
                        end.complete(Status.OK);
                    }

                    @Override
                    public void onError(Throwable failure) {
                        end.complete(Status.fromThrowable(failure));
                    }

                    @Override
                    public void onCompleted() {
                        end.complete(Status.OK.withDescription("completed"));
                    }
                });
        requests.onNext(SessionRequest.newBuilder()
                .setJoin(Join.newBuilder()
                        .setProtocolVersion(ProtocolVersion.PROTOCOL_VERSION_CURRENT_VALUE)
                        .setNode(NodeDescription.newBuilder()
                                .setNode(node)
                                .setDataAddress("10.0.0.9")
                                .setVcpuSlots(1)
                                .setMemoryBytes(1L << 30)))
                .build());
        return end.get(60, TimeUnit.SECONDS);
    }

    @Test
    void nodeCannotImpersonateAnother() throws Exception {
        ManagedChannel c = as(Role.AGENT, "c");
        Status refused = joining(c, "d");
        assertThat(refused.getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
        assertThat(refused.getDescription()).isEqualTo("the certificate of agent c is not that of node d");
        assertThat(joining(c, "c")).isEqualTo(Status.OK);
    }

    @Test
    void nodeHasNoSayInJobsOfOtherNodes() throws Exception {
        ManagedChannel c = as(Role.AGENT, "c");
        String id = running();
        assertStatus(
                Status.Code.NOT_FOUND,
                () -> AgentServiceGrpc.newBlockingStub(c)
                        .fetchJobFiles(
                                FetchJobFilesRequest.newBuilder().setJobId(id).build())
                        .hasNext());
        FakeAgent stranger =
                new FakeAgent("c", Repository.openCatalog(directory.resolve("repository"), StoreEnvironment.system()));
        stranger.join(c);
        awaitNodes(3);
        stranger.exit(incarnation(id, 1), 7);
        stranger.print(incarnation(id, 1), 0, "lies");
        // Sessions keep their order, and what is asked for now comes behind it.
        stranger.exit(incarnation("none-0", 1), 7);
        checkpoint(id);
        assertThat(job(id).getPhase()).isEqualTo(JobPhase.JOB_PHASE_RUNNING);
        assertThat(stranger.acknowledged()).isEmpty();
        // Its own nodes have.
        a.exit(incarnation(id, 1), 7);
        assertThat(await(id, JobPhase.JOB_PHASE_ENDED).getExitStatus()).isEqualTo(7);
    }
}
