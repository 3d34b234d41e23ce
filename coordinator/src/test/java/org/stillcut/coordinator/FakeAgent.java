package org.stillcut.coordinator;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.StoreException;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.v1.AgentServiceGrpc;
import org.stillcut.v1.Incarnation;
import org.stillcut.v1.JobExited;
import org.stillcut.v1.JobOutput;
import org.stillcut.v1.Join;
import org.stillcut.v1.NodeDescription;
import org.stillcut.v1.OutputStream;
import org.stillcut.v1.ProtocolVersion;
import org.stillcut.v1.SessionRequest;
import org.stillcut.v1.SessionResponse;
import org.stillcut.v1.Snapshot;
import org.stillcut.v1.Step;
import org.stillcut.v1.StepCommand;
import org.stillcut.v1.StepReport;
import org.stillcut.v1.TrafficReport;
import org.stillcut.v1.TrafficRequest;
import org.stillcut.v1.VmTraffic;

/**
 * An agent without VMs: joins, does every step at once, and writes empty snapshots. What it holds outlives its sessions.
 * Thread-safe.
 */
final class FakeAgent implements StreamObserver<SessionResponse> {
    private long filesWanted;
    private final String node;
    private final CheckpointCatalog repository;
    private final List<Incarnation> held = new ArrayList<>();
    private final Map<Incarnation, List<Integer>> vms = new HashMap<>();
    private final List<String> commands = new ArrayList<>();
    private final List<Long> acknowledged = new ArrayList<>();
    private final List<Integer> signals = new ArrayList<>();
    private List<String> machines = List.of();
    private @Nullable Step silentAt;
    private @Nullable StreamObserver<SessionRequest> session;

    FakeAgent(String node, CheckpointCatalog repository) {
        this.node = node;
        this.repository = repository;
    }

    /** Opens a session, a first one or another. */
    synchronized void join(ManagedChannel channel) {
        StreamObserver<SessionRequest> requests =
                AgentServiceGrpc.newStub(channel).session(this);
        session = requests;
        requests.onNext(SessionRequest.newBuilder()
                .setJoin(Join.newBuilder()
                        .setProtocolVersion(ProtocolVersion.PROTOCOL_VERSION_CURRENT_VALUE)
                        .setNode(NodeDescription.newBuilder()
                                .setNode(node)
                                .setDataAddress("10.0.0.1")
                                .setVcpuSlots(8)
                                .setMemoryBytes(8L << 30)
                                .addImages("base")
                                .addAllMachines(machines))
                        .addAllHeld(held))
                .build());
    }

    /** What it says when it joins; nothing unless this is called. */
    synchronized FakeAgent offering(String... offered) {
        machines = List.of(offered);
        return this;
    }

    /** Commands of that step are received and not answered. */
    synchronized void fallSilentAt(@Nullable Step step) {
        silentAt = step;
    }

    synchronized List<String> commands() {
        return List.copyOf(commands);
    }

    synchronized List<Incarnation> held() {
        return List.copyOf(held);
    }

    synchronized List<Long> acknowledged() {
        return List.copyOf(acknowledged);
    }

    synchronized List<Integer> signals() {
        return List.copyOf(signals);
    }

    synchronized void print(Incarnation incarnation, long offset, String text) {
        send(SessionRequest.newBuilder()
                .setOutput(JobOutput.newBuilder()
                        .setIncarnation(incarnation)
                        .setStream(OutputStream.OUTPUT_STREAM_STDOUT)
                        .setOffset(offset)
                        .setData(ByteString.copyFromUtf8(text)))
                .build());
    }

    /** Number of the last request for files; 0: there was none. */
    synchronized long filesWanted() {
        return filesWanted;
    }

    synchronized void exit(Incarnation incarnation, int status) {
        send(SessionRequest.newBuilder()
                .setJobExited(JobExited.newBuilder().setIncarnation(incarnation).setExitStatus(status))
                .build());
    }

    @Override
    public synchronized void onNext(SessionResponse response) {
        switch (response.getResponseCase()) {
            case COMMAND -> obey(response.getCommand());
            case OUTPUT_ACK -> acknowledged.add(response.getOutputAck().getOffset());
            case SIGNAL -> signals.add(response.getSignal().getSignalNumber());
            case TRAFFIC -> show(response.getTraffic());
            case FILES -> filesWanted = response.getFiles().getRequest();
            case JOINED, HEARTBEAT, CHECKPOINT_RESULT, RESPONSE_NOT_SET -> {
                // Nothing to do for it.
            }
        }
    }

    @Override
    public void onError(Throwable failure) {
        onCompleted();
    }

    @Override
    public synchronized void onCompleted() {
        session = null;
    }

    private void obey(StepCommand command) {
        commands.add(command.getStep()
                + (command.getGang().getLazyRestore() ? " lazily " : " ")
                + command.getIncarnation().getEpoch());
        if (command.getStep() == silentAt) {
            return;
        }
        StepReport.Builder report = StepReport.newBuilder()
                .setIncarnation(command.getIncarnation())
                .setStep(command.getStep())
                .setCheckpoint(command.getCheckpoint());
        if (command.getStep() == Step.STEP_BOOT || command.getStep() == Step.STEP_RESTORE) {
            held.add(command.getIncarnation());
            vms.put(command.getIncarnation(), command.getVmsList());
        } else if (command.getStep() == Step.STEP_DESTROY) {
            held.remove(command.getIncarnation());
        } else if (command.getStep() == Step.STEP_PERSIST) {
            command.getVmsList().forEach(vm -> report.addSnapshots(snapshot(command, vm)));
        } else if (command.getStep() == Step.STEP_PAUSE) {
            command.getVmsList().forEach(vm -> report.addLooks(atRest(vm, 0, true)));
        }
        send(SessionRequest.newBuilder().setReport(report).build());
    }

    /** Its VMs are at rest whenever somebody looks, and have made calls since. */
    private void show(TrafficRequest request) {
        TrafficReport.Builder report = TrafficReport.newBuilder()
                .setIncarnation(request.getIncarnation())
                .setRound(request.getRound());
        vms.getOrDefault(request.getIncarnation(), List.of())
                .forEach(vm -> report.addVms(atRest(vm, request.getRound(), request.getDigest())));
        send(SessionRequest.newBuilder().setTraffic(report).build());
    }

    private static VmTraffic atRest(int vm, long calls, boolean digest) {
        return VmTraffic.newBuilder()
                .setVm(vm)
                .setMonotonicNanos(System.nanoTime())
                .setGateClosed(true)
                .setFrozen(true)
                .setParked(1)
                .setCalls(calls)
                .setDigest(digest ? 40 + vm : 0)
                .build();
    }

    private Snapshot snapshot(StepCommand command, int vm) {
        try {
            SnapshotIdentity identity = new SnapshotIdentity(
                    command.getIncarnation().getJobId(),
                    command.getCheckpoint(),
                    command.getIncarnation().getEpoch(),
                    vm);
            String reference = repository
                    .writeSnapshot(new SnapshotManifest(
                            identity, Instant.EPOCH, new TreeMap<>(), new TreeMap<>(Map.of("stored.bytes", "7"))))
                    .digest();
            return Snapshot.newBuilder().setVm(vm).setReference(reference).build();
        } catch (StoreException e) {
            throw new IllegalStateException(e);
        }
    }

    private void send(SessionRequest request) {
        if (session != null) {
            session.onNext(request);
        }
    }
}
