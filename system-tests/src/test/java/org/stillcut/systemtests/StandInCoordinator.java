package org.stillcut.systemtests;

import com.google.protobuf.ByteString;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.stillcut.security.Credentials;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.StoreEnvironment;
import org.stillcut.v1.AgentServiceGrpc;
import org.stillcut.v1.FetchJobFilesRequest;
import org.stillcut.v1.FetchJobFilesResponse;
import org.stillcut.v1.Gang;
import org.stillcut.v1.GangMember;
import org.stillcut.v1.Heartbeat;
import org.stillcut.v1.Incarnation;
import org.stillcut.v1.JobSpec;
import org.stillcut.v1.Joined;
import org.stillcut.v1.NodeDescription;
import org.stillcut.v1.OutputAck;
import org.stillcut.v1.ProtocolVersion;
import org.stillcut.v1.SessionRequest;
import org.stillcut.v1.SessionResponse;
import org.stillcut.v1.Step;
import org.stillcut.v1.StepCommand;
import org.stillcut.v1.StepReport;

/**
 * Stands in for the coordinator, to do with real agents and VMs what the coordinator never does: take the snapshots of one
 * node after the other, without the barriers. Run with "barriers" instead, it does the very same with them, which shows that
 * nothing else is wrong with it.
 *
 * <p>Prints one line: {@code RESULT ended STATUS LAST-LINE} or {@code RESULT silent LAST-LINE}.
 */
public final class StandInCoordinator extends AgentServiceGrpc.AgentServiceImplBase {
    private static final int PORT = 7070;
    private static final String JOB = "storm-standin";
    private static final long STEP_SECONDS = 180;

    /** What lies between the snapshots of two VMs when nobody coordinates them. */
    private static final long BETWEEN_SNAPSHOTS_MILLIS = 800;

    private static final List<Step> SNAPSHOT = List.of(
            Step.STEP_PREPARE,
            Step.STEP_QUIESCE,
            Step.STEP_FREEZE,
            Step.STEP_PAUSE,
            Step.STEP_CAPTURE,
            Step.STEP_RESUME,
            Step.STEP_PERSIST);

    private final Path filesTar;
    private final Map<String, StreamObserver<SessionResponse>> agents = new ConcurrentHashMap<>();
    private final Map<String, NodeDescription> nodes = new ConcurrentHashMap<>();
    private final BlockingQueue<StepReport> reports = new LinkedBlockingQueue<>();
    private final BlockingQueue<Integer> exits = new LinkedBlockingQueue<>();
    private final StringBuilder output = new StringBuilder();

    private StandInCoordinator(Path filesTar) {
        this.filesTar = filesTar;
    }

    /** Arguments: barriers or one-by-one; the tar of the job's files; limit in seconds; address; credentials; repository. */
    public static void main(String[] arguments) throws Exception {
        StandInCoordinator coordinator = new StandInCoordinator(Path.of(arguments[1]));
        Credentials credentials = Credentials.load(Path.of(arguments[4]), Instant.now());
        Server server = NettyServerBuilder.forAddress(new InetSocketAddress(arguments[3], PORT))
                .sslContext(credentials.server(refusal -> System.err.println("refused: " + refusal.line())))
                .addService(coordinator)
                .build()
                .start();
        try {
            coordinator.tell(arguments[0].equals("barriers"), Long.parseLong(arguments[2]), Path.of(arguments[5]));
        } finally {
            server.shutdownNow();
        }
    }

    private void tell(boolean barriers, long limitSeconds, Path repository) throws Exception {
        Waiting.untilTrue("two agents", Duration.ofSeconds(60), () -> agents.size() == 2);
        List<String> names = agents.keySet().stream().sorted().toList();
        each(names, Step.STEP_BOOT, 1, 0);
        each(names.subList(0, 1), Step.STEP_START, 1, 0);
        Waiting.untilTrue(
                "the storm", Duration.ofSeconds(STEP_SECONDS), () -> printed().contains("storm sent"));
        SortedMap<Integer, SnapshotRef> snapshots = barriers ? withBarriers(names) : oneByOne(names);
        commit(repository, snapshots);
        each(names, Step.STEP_DESTROY, 1, 0);
        exits.clear();
        each(names, Step.STEP_RESTORE, 2, 1);
        each(names, Step.STEP_RUN, 2, 1);
        each(names, Step.STEP_THAW, 2, 1);
        Integer status = exits.poll(limitSeconds, TimeUnit.SECONDS);
        String last = printed().lines().reduce("", (_, line) -> line);
        System.out.println("RESULT " + (status == null ? "silent" : "ended " + status) + " " + last);
        each(names, Step.STEP_DESTROY, 2, 0);
    }

    private SortedMap<Integer, SnapshotRef> withBarriers(List<String> names) throws Exception {
        SortedMap<Integer, SnapshotRef> snapshots = new TreeMap<>();
        for (Step step : SNAPSHOT) {
            snapshots.putAll(each(names, step, 1, 1));
        }
        return snapshots;
    }

    private SortedMap<Integer, SnapshotRef> oneByOne(List<String> names) throws Exception {
        SortedMap<Integer, SnapshotRef> snapshots = new TreeMap<>();
        for (String name : names) {
            for (Step step : SNAPSHOT) {
                snapshots.putAll(each(List.of(name), step, 1, 1));
            }
            Thread.sleep(BETWEEN_SNAPSHOTS_MILLIS);
        }
        return snapshots;
    }

    /** Commands a step and awaits all answers. */
    private SortedMap<Integer, SnapshotRef> each(List<String> names, Step step, long epoch, long checkpoint)
            throws Exception {
        for (String name : names) {
            StepCommand.Builder command = StepCommand.newBuilder()
                    .setIncarnation(incarnation(epoch))
                    .setStep(step)
                    .setCheckpoint(checkpoint);
            if (step != Step.STEP_DESTROY) {
                command.addVms(vmOf(name));
            }
            if (step == Step.STEP_BOOT || step == Step.STEP_RESTORE) {
                command.setGang(gang(epoch));
            }
            StreamObserver<SessionResponse> agent =
                    Optional.ofNullable(agents.get(name)).orElseThrow();
            synchronized (agent) {
                agent.onNext(SessionResponse.newBuilder().setCommand(command).build());
            }
        }
        SortedMap<Integer, SnapshotRef> snapshots = new TreeMap<>();
        for (int answers = 0; answers < names.size(); answers++) {
            StepReport report = reports.poll(STEP_SECONDS, TimeUnit.SECONDS);
            if (report == null || report.hasFailure() || report.getStep() != step) {
                throw new IOException(step + " answered with " + report);
            }
            report.getSnapshotsList()
                    .forEach(snapshot -> snapshots.put(snapshot.getVm(), new SnapshotRef(snapshot.getReference())));
        }
        return snapshots;
    }

    private void commit(Path repository, SortedMap<Integer, SnapshotRef> snapshots) throws StoreException {
        Repository.openCatalog(repository, StoreEnvironment.system())
                .commit(new CheckpointManifest(JOB, 1, 1, Instant.now(), snapshots, new TreeMap<>()));
    }

    private static int vmOf(String node) {
        return node.equals("n1") ? 0 : 1;
    }

    private Gang gang(long epoch) {
        Gang.Builder gang = Gang.newBuilder()
                .setNetworkId((int) (5000 + epoch))
                .setSpec(JobSpec.newBuilder()
                        .setName("storm")
                        .addAllMpirunArguments(List.of("-np", "2", "./storm", "--messages", "40000"))
                        .setWorkingDirectory("/storm")
                        .setFreezeOnly(true)
                        .setVmCount(2)
                        .setVcpusPerVm(1)
                        .setMemoryBytesPerVm(256L << 20)
                        .setDiskBytesPerVm(128L << 20)
                        .setSlotsPerVm(1)
                        .setImage("base"));
        nodes.forEach((name, node) -> gang.addMembers(
                GangMember.newBuilder().setVm(vmOf(name)).setNode(name).setDataAddress(node.getDataAddress())));
        return gang.build();
    }

    private static Incarnation incarnation(long epoch) {
        return Incarnation.newBuilder().setJobId(JOB).setEpoch(epoch).build();
    }

    private String printed() {
        synchronized (output) {
            return output.toString();
        }
    }

    @Override
    public void fetchJobFiles(FetchJobFilesRequest request, StreamObserver<FetchJobFilesResponse> responses) {
        try {
            responses.onNext(FetchJobFilesResponse.newBuilder()
                    .setData(ByteString.copyFrom(Files.readAllBytes(filesTar)))
                    .build());
            responses.onCompleted();
        } catch (IOException e) {
            responses.onError(e);
        }
    }

    @Override
    public StreamObserver<SessionRequest> session(StreamObserver<SessionResponse> responses) {
        return new AgentSession(responses);
    }

    private final class AgentSession implements StreamObserver<SessionRequest> {
        private final StreamObserver<SessionResponse> responses;
        private final List<Long> offsets = new ArrayList<>(List.of(0L, 0L, 0L));

        AgentSession(StreamObserver<SessionResponse> responses) {
            this.responses = responses;
        }

        @Override
        public void onNext(SessionRequest request) {
            switch (request.getRequestCase()) {
                case JOIN -> join(request.getJoin().getNode());
                case REPORT -> reports.add(request.getReport());
                case JOB_EXITED -> exits.add(request.getJobExited().getExitStatus());
                case OUTPUT -> output(request.getOutput());
                case HEARTBEAT ->
                    responses.onNext(SessionResponse.newBuilder()
                            .setHeartbeat(Heartbeat.getDefaultInstance())
                            .build());
                case VM_LOST, TRAFFIC, CHECKPOINT_WANTED, REQUEST_NOT_SET -> {
                    // Of no interest here.
                }
            }
        }

        private void join(NodeDescription node) {
            synchronized (responses) {
                responses.onNext(SessionResponse.newBuilder()
                        .setJoined(Joined.newBuilder()
                                .setHeartbeatMillis(500)
                                .setProtocolVersion(ProtocolVersion.PROTOCOL_VERSION_CURRENT_VALUE))
                        .build());
            }
            nodes.put(node.getNode(), node);
            agents.put(node.getNode(), responses);
        }

        private void output(org.stillcut.v1.JobOutput piece) {
            int stream = piece.getStreamValue();
            long known = offsets.get(stream);
            long end = piece.getOffset() + piece.getData().size();
            if (piece.getOffset() <= known && end > known) {
                offsets.set(stream, end);
                synchronized (output) {
                    output.append(piece.getData()
                            .substring((int) (known - piece.getOffset()))
                            .toString(StandardCharsets.UTF_8));
                }
            }
            synchronized (responses) {
                responses.onNext(SessionResponse.newBuilder()
                        .setOutputAck(OutputAck.newBuilder()
                                .setIncarnation(piece.getIncarnation())
                                .setStream(piece.getStream())
                                .setOffset(offsets.get(stream)))
                        .build());
            }
        }

        @Override
        public void onError(Throwable failure) {
            System.err.println("session broken: " + failure);
        }

        @Override
        public void onCompleted() {
            System.err.println("session ended");
        }
    }
}
