package org.stillcut.coordinator.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.stillcut.coordinator.SteppingClock;
import org.stillcut.coordinator.job.JobDirectory;
import org.stillcut.coordinator.membership.AgentEntry;
import org.stillcut.coordinator.membership.AgentRegistry;
import org.stillcut.coordinator.membership.NodeStatus;
import org.stillcut.protocol.AgentId;
import org.stillcut.v1.Heartbeat;
import org.stillcut.v1.Incarnation;
import org.stillcut.v1.JobExited;
import org.stillcut.v1.JobOutput;
import org.stillcut.v1.Join;
import org.stillcut.v1.NodeDescription;
import org.stillcut.v1.ProtocolVersion;
import org.stillcut.v1.SessionRequest;
import org.stillcut.v1.SessionResponse;
import org.stillcut.v1.Snapshot;
import org.stillcut.v1.StepReport;
import org.stillcut.v1.VmLost;

class AgentSessionTest {
    private final JobDirectory jobs = new JobDirectory();
    private final AgentRegistry registry = new AgentRegistry(new SteppingClock(), Duration.ofSeconds(10), jobs);

    /** The other end of a session: fails, as gRPC does, when anything comes after the end. */
    private static final class Peer implements StreamObserver<SessionResponse> {
        private final List<SessionResponse> received = new ArrayList<>();
        private final List<Status> ends = new ArrayList<>();

        @Override
        public void onNext(SessionResponse response) {
            assertThat(ends).as("end before %s", response).isEmpty();
            received.add(response);
        }

        @Override
        public void onError(Throwable failure) {
            assertThat(ends).isEmpty();
            ends.add(Status.fromThrowable(failure));
        }

        @Override
        public void onCompleted() {
            assertThat(ends).isEmpty();
            ends.add(Status.OK);
        }

        Status.Code end() {
            return ends.getFirst().getCode();
        }
    }

    private final Peer peer = new Peer();
    private final AgentEntry entry = new AgentEntry(registry, "4711");
    private final AgentSession session = new AgentSession(peer, entry, jobs, new Caller.Local());

    private static SessionRequest join(String node) {
        return SessionRequest.newBuilder()
                .setJoin(Join.newBuilder()
                        .setProtocolVersion(ProtocolVersion.PROTOCOL_VERSION_CURRENT_VALUE)
                        .setNode(NodeDescription.newBuilder()
                                .setNode(node)
                                .setVcpuSlots(4)
                                .setMemoryBytes(1 << 30)))
                .build();
    }

    private static SessionRequest heartbeat() {
        return SessionRequest.newBuilder()
                .setHeartbeat(Heartbeat.getDefaultInstance())
                .build();
    }

    private List<NodeStatus.State> states() {
        return registry.nodes().stream().map(NodeStatus::state).toList();
    }

    @Test
    void joinIsAnsweredAndTheAgentIsUp() {
        session.onNext(join("a"));
        assertThat(peer.received.getFirst().getJoined().getHeartbeatMillis()).isEqualTo(10_000 / 6);
        assertThat(registry.link(new AgentId("a"))).containsSame(session);
    }

    @Test
    void sessionThatDoesNotBeginWithAJoinIsRefused() {
        session.onNext(heartbeat());
        assertThat(peer.end()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(registry.nodes()).isEmpty();
    }

    @Test
    void joinBehindARefusalIsNotHeard() {
        session.onNext(heartbeat());
        session.onNext(join("a"));
        assertThat(registry.nodes()).isEmpty();
    }

    @Test
    void agentOfAnotherVersionIsRefusedInOneLine() {
        for (int version : List.of(0, ProtocolVersion.PROTOCOL_VERSION_CURRENT_VALUE + 1)) {
            SessionRequest.Builder join = join("a").toBuilder();
            join.getJoinBuilder().setProtocolVersion(version);
            Peer other = new Peer();
            new AgentSession(other, entry, jobs, new Caller.Local()).onNext(join.build());
            assertThat(other.end()).isEqualTo(Status.Code.FAILED_PRECONDITION);
            assertThat(other.ends.getFirst().getDescription())
                    .isEqualTo("node a speaks version " + version + " of the protocol, the coordinator 1: give both the"
                            + " same version of Stillcut");
            assertThat(other.received).isEmpty();
        }
        assertThat(registry.nodes()).isEmpty();
    }

    @Test
    void agentOfAnotherRepositoryIsRefusedInOneLine() {
        SessionRequest.Builder join = join("a").toBuilder();
        join.getJoinBuilder().getNodeBuilder().setRepository("0815");
        session.onNext(join.build());
        assertThat(peer.ends.getFirst().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
        assertThat(peer.ends.getFirst().getDescription())
                .isEqualTo("node a writes to repository 0815, the coordinator to 4711: give both the same --repository"
                        + " directory");
        assertThat(registry.nodes()).isEmpty();
        join.getJoinBuilder().getNodeBuilder().setRepository("4711");
        new AgentSession(new Peer(), entry, jobs, new Caller.Local()).onNext(join.build());
        assertThat(states()).containsExactly(NodeStatus.State.UP);
    }

    @Test
    void nameInUseIsRefused() {
        session.onNext(join("a"));
        Peer second = new Peer();
        AgentSession other = new AgentSession(second, entry, jobs, new Caller.Local());
        other.onNext(join("a"));
        assertThat(second.end()).isEqualTo(Status.Code.ALREADY_EXISTS);
        assertThat(registry.link(new AgentId("a"))).containsSame(session);
        other.onError(Status.CANCELLED.asRuntimeException());
        assertThat(registry.link(new AgentId("a"))).containsSame(session);
    }

    @Test
    void nonsenseEndsTheSessionAndTheAgentMayComeBack() {
        session.onNext(join("a"));
        session.onNext(SessionRequest.newBuilder()
                .setReport(StepReport.getDefaultInstance())
                .build());
        assertThat(peer.end()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(states()).containsExactly(NodeStatus.State.SILENT);
        new AgentSession(new Peer(), entry, jobs, new Caller.Local()).onNext(join("a"));
        assertThat(states()).containsExactly(NodeStatus.State.UP);
    }

    @Test
    void brokenSessionTakesNothingMore() {
        session.onNext(join("a"));
        session.onError(Status.CANCELLED.asRuntimeException());
        session.signal(new org.stillcut.protocol.Incarnation(new org.stillcut.protocol.JobId("x"), 1), 2);
        session.close("late");
        session.onCompleted();
        assertThat(peer.received).hasSize(1);
        assertThat(states()).containsExactly(NodeStatus.State.SILENT);
    }

    @Test
    void newsOfUnknownJobsAndOfNewerVersionsAreHarmless() {
        session.onNext(join("a"));
        Incarnation unknown =
                Incarnation.newBuilder().setJobId("absent").setEpoch(1).build();
        session.onNext(SessionRequest.newBuilder()
                .setVmLost(VmLost.newBuilder().setIncarnation(unknown))
                .build());
        session.onNext(SessionRequest.newBuilder()
                .setJobExited(JobExited.newBuilder().setIncarnation(unknown))
                .build());
        session.onNext(SessionRequest.newBuilder()
                .setOutput(JobOutput.newBuilder().setIncarnation(unknown))
                .build());
        session.onNext(SessionRequest.getDefaultInstance());
        session.onNext(join("b"));
        assertThat(peer.ends).isEmpty();
        assertThat(states()).containsExactly(NodeStatus.State.UP);
    }

    @Test
    void noOrderOfAnyMessagesMakesItThrow() {
        for (int seed = 0; seed < 3_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Peer other = new Peer();
            AgentSession fuzzed = new AgentSession(other, entry, jobs, new Caller.Local());
            for (int i = 0; i < 12; i++) {
                switch (random.nextInt(12)) {
                    case 0 -> fuzzed.onError(Status.CANCELLED.asRuntimeException());
                    case 1 -> fuzzed.onCompleted();
                    case 2 -> fuzzed.close("seed " + seed);
                    default -> fuzzed.onNext(any(random));
                }
            }
            fuzzed.onError(Status.CANCELLED.asRuntimeException());
            assertThat(registry.nodes()).as("seed %s", seed).noneMatch(node -> node.state() == NodeStatus.State.UP);
        }
    }

    private static SessionRequest any(SplittableRandom random) {
        Incarnation incarnation = Incarnation.newBuilder()
                .setJobId(List.of("", "x", "../x").get(random.nextInt(3)))
                .setEpoch(random.nextInt(-1, 3))
                .build();
        SessionRequest.Builder request = SessionRequest.newBuilder();
        switch (random.nextInt(8)) {
            case 0 ->
                request.setReport(StepReport.newBuilder()
                        .setIncarnation(incarnation)
                        .setStepValue(random.nextInt(20))
                        .setCheckpoint(random.nextInt(-1, 3))
                        .addSnapshots(Snapshot.newBuilder().setVm(random.nextInt(-1, 2))));
            case 1 ->
                request.setVmLost(
                        VmLost.newBuilder().setIncarnation(incarnation).setVm(random.nextInt(-1, 3)));
            case 2 -> request.setJobExited(JobExited.newBuilder().setIncarnation(incarnation));
            case 3 ->
                request.setOutput(JobOutput.newBuilder()
                        .setIncarnation(incarnation)
                        .setStreamValue(random.nextInt(5))
                        .setOffset(random.nextLong())
                        .setData(ByteString.copyFromUtf8("x")));
            case 4 -> request.setHeartbeat(Heartbeat.getDefaultInstance());
            case 5 -> request.setJoin(Join.newBuilder().addHeld(incarnation));
            default -> {
                return join(List.of("a", "b", "").get(random.nextInt(3)));
            }
        }
        return request.build();
    }
}
