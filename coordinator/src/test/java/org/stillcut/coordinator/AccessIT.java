package org.stillcut.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.address.HostPort;
import org.stillcut.security.Credentials;
import org.stillcut.security.Identity;
import org.stillcut.security.Role;
import org.stillcut.security.TlsException;
import org.stillcut.security.TlsProblem;
import org.stillcut.security.ca.CertificateAuthority;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.StoreEnvironment;
import org.stillcut.v1.AgentServiceGrpc;
import org.stillcut.v1.CancelJobRequest;
import org.stillcut.v1.CheckpointServiceGrpc;
import org.stillcut.v1.CreateCheckpointRequest;
import org.stillcut.v1.FetchJobFilesRequest;
import org.stillcut.v1.GetCheckpointRequest;
import org.stillcut.v1.GetJobRequest;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.JobServiceGrpc;
import org.stillcut.v1.Join;
import org.stillcut.v1.ListCheckpointsRequest;
import org.stillcut.v1.ListJobsRequest;
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
class AccessIT extends CoordinatorFixture {
    private static final Duration DAY = Duration.ofDays(1);

    private final List<ManagedChannel> channels = new ArrayList<>();

    @AfterEach
    void closeChannels() {
        channels.forEach(ManagedChannel::shutdownNow);
    }

    @Override
    CoordinatorConfig config(Path state, Optional<InetSocketAddress> listen) {
        try {
            Path home = directory.resolve("ca");
            CertificateAuthority authority = Files.exists(home) ? authority("ca") : newAuthority("ca");
            Path own = authority.placeOf(new Identity(Role.COORDINATOR, "c"));
            if (!Files.exists(own)) {
                issue(authority, Role.COORDINATOR, "c", DAY);
            }
            return listening(Credentials.load(own, Instant.now()));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private CoordinatorConfig listening(Credentials credentials) {
        return new CoordinatorConfig(
                directory.resolve("state"),
                directory.resolve("repository"),
                directory.resolve("c.sock"),
                Optional.of(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0)),
                Optional.of(credentials),
                Optional.of(new HostPort("127.0.0.1", 0)),
                Duration.ofSeconds(20));
    }

    private CertificateAuthority newAuthority(String name) throws Exception {
        return CertificateAuthority.create(directory.resolve(name), InstantSource.system(), new SecureRandom());
    }

    private CertificateAuthority authority(String name) throws Exception {
        return CertificateAuthority.open(directory.resolve(name), InstantSource.system(), new SecureRandom());
    }

    private static Path issue(CertificateAuthority from, Role role, String name, Duration life) throws Exception {
        List<String> hosts = role == Role.COORDINATOR ? List.of("127.0.0.1") : List.of();
        Identity identity = new Identity(role, name);
        from.issue(new CertificateAuthority.Request(identity, hosts, life), from.placeOf(identity));
        return from.placeOf(identity);
    }

    private Credentials credentials(Role role, String name) throws Exception {
        return Credentials.load(issue(authority("ca"), role, name, DAY), Instant.now());
    }

    /** Makes the coordinator the channel's, so that the fixture's calls are those of this caller. */
    private ManagedChannel as(Role role, String name) throws Exception {
        return to("127.0.0.1", credentials(role, name));
    }

    private ManagedChannel to(String host, Credentials credentials) {
        ManagedChannel made = NettyChannelBuilder.forAddress(host, coordinator.port())
                .sslContext(credentials.client())
                .build();
        channels.add(made);
        return made;
    }

    private static List<String> jobsSeenBy(ManagedChannel caller) {
        return JobServiceGrpc.newBlockingStub(caller)
                .listJobs(ListJobsRequest.getDefaultInstance())
                .getJobsList()
                .stream()
                .map(Job::getJobId)
                .toList();
    }

    private String runningAs(ManagedChannel caller) throws Exception {
        ManagedChannel before = channel;
        channel = caller;
        try {
            return running();
        } finally {
            channel = before;
        }
    }

    private static void assertProblem(TlsProblem problem, ManagedChannel caller) {
        assertThatThrownBy(() -> jobsSeenBy(caller)).isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
            assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            TlsException behind = TlsException.behind(e).orElseThrow(() -> new AssertionError("no TLS", e));
            assertThat(behind.problem()).as(behind.line()).isEqualTo(problem);
            assertThat(behind.line()).isNotBlank().doesNotContain("\n");
        });
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

    @Test
    void strangersAreRefusedInTheHandshake() throws Exception {
        Path other = issue(newAuthority("other"), Role.OPERATOR, "eve", DAY);
        // It knows our authority as well, so that it does not itself end the handshake.
        Files.writeString(
                other.resolve("ca.pem"),
                Files.readString(other.resolve("ca.pem")) + Files.readString(directory.resolve("ca/ca.pem")));
        assertProblem(TlsProblem.HANDSHAKE, to("127.0.0.1", Credentials.load(other, Instant.now())));
        // A coordinator's certificate is for being called.
        assertProblem(TlsProblem.HANDSHAKE, as(Role.COORDINATOR, "other"));
    }

    @Test
    void callerWithoutACertificateIsRefused() {
        ManagedChannel plain = NettyChannelBuilder.forAddress("127.0.0.1", coordinator.port())
                .usePlaintext()
                .build();
        channels.add(plain);
        assertStatus(Status.Code.UNAVAILABLE, () -> jobsSeenBy(plain));
    }

    @Test
    void callersKnowACoordinatorFromOthers() throws Exception {
        Path other = issue(newAuthority("other"), Role.USER, "anna", DAY);
        assertProblem(TlsProblem.OTHER_AUTHORITY, to("127.0.0.1", Credentials.load(other, Instant.now())));
        // The certificate is for 127.0.0.1, and not for whatever else leads there.
        assertProblem(TlsProblem.WRONG_NAME, to("localhost", credentials(Role.USER, "bert")));
        closeCoordinator();
        coordinator = Coordinator.open(listening(credentials(Role.AGENT, "evil")), GIVES_UP);
        assertProblem(TlsProblem.WRONG_ROLE, as(Role.USER, "carl"));
    }

    @Test
    void expiredCertificatesAreRefusedOnBothSides() throws Exception {
        Duration life = Duration.ofSeconds(3);
        CertificateAuthority authority = authority("ca");
        Credentials user = Credentials.load(issue(authority, Role.USER, "short", life), Instant.now());
        Credentials server = Credentials.load(issue(authority, Role.COORDINATOR, "short", life), Instant.now());
        Instant end = Instant.now().plus(life);
        closeCoordinator();
        coordinator = Coordinator.open(listening(server), GIVES_UP);
        Supplier<Boolean> over = () -> Instant.now().isAfter(end);
        Eventually.see("the end of the certificates", over::get, isOver -> isOver);
        assertProblem(TlsProblem.EXPIRED, as(Role.USER, "long"));
        coordinator.close();
        openCoordinator(directory.resolve("state"));
        assertProblem(TlsProblem.HANDSHAKE, to("127.0.0.1", user));
    }

    @Test
    void listeningBeyondLoopbackNeedsCertificates() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new CoordinatorConfig(
                        directory,
                        directory,
                        directory,
                        Optional.of(new InetSocketAddress(InetAddress.ofLiteral("0.0.0.0"), 7070)),
                        Optional.empty(),
                        Optional.empty(),
                        Duration.ofSeconds(20)))
                .withMessage("--listen 0.0.0.0: not on loopback, so --tls is needed (stillcut ca init)");
    }
}
