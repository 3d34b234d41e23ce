package org.stillcut.coordinator.rpc;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.job.JobDirectory;
import org.stillcut.coordinator.job.JobLoop;
import org.stillcut.coordinator.job.LogContext;
import org.stillcut.coordinator.job.TrafficAnswer;
import org.stillcut.coordinator.membership.AgentEntry;
import org.stillcut.coordinator.membership.AgentLink;
import org.stillcut.coordinator.membership.AgentRegistry;
import org.stillcut.coordinator.membership.Gang;
import org.stillcut.coordinator.membership.NodeProfile;
import org.stillcut.coordinator.membership.Wish;
import org.stillcut.coordinator.output.OutputStreamName;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.v1.CheckpointResult;
import org.stillcut.v1.FilesWanted;
import org.stillcut.v1.Heartbeat;
import org.stillcut.v1.Join;
import org.stillcut.v1.Joined;
import org.stillcut.v1.OutputAck;
import org.stillcut.v1.ProtocolVersion;
import org.stillcut.v1.SessionRequest;
import org.stillcut.v1.SessionResponse;
import org.stillcut.v1.SignalCommand;
import org.stillcut.v1.TrafficRequest;

/**
 * One session of one agent. gRPC calls the observer's methods one at a time; the link's methods are called by the jobs'
 * loops and are serialised here.
 */
final class AgentSession implements StreamObserver<SessionRequest>, AgentLink {
    private static final Logger log = LoggerFactory.getLogger(AgentSession.class);

    private final StreamObserver<SessionResponse> responses;
    private final AgentEntry entry;
    private final AgentRegistry registry;
    private final JobDirectory jobs;
    private final Caller caller;
    private @Nullable AgentId agent;
    private boolean closed;

    AgentSession(StreamObserver<SessionResponse> responses, AgentEntry entry, JobDirectory jobs, Caller caller) {
        this.responses = responses;
        this.entry = entry;
        this.registry = entry.registry();
        this.jobs = jobs;
        this.caller = caller;
    }

    @Override
    public void onNext(SessionRequest request) {
        if (isClosed()) {
            // What was on its way when the session was ended must not bring the agent in again.
            return;
        }
        try {
            AgentId joined = agent;
            if (joined == null) {
                join(request.getJoin());
            } else {
                registry.heard(joined);
                take(joined, request);
            }
        } catch (IllegalArgumentException e) {
            log.warn("agent {} sent nonsense: {}", agent, e.getMessage());
            end(Status.INVALID_ARGUMENT.withDescription(e.getMessage()));
        } catch (IOException e) {
            log.error("output of a job on {} cannot be recorded", agent, e);
            end(Status.INTERNAL.withDescription("output cannot be recorded"));
        }
    }

    @Override
    public void onError(Throwable failure) {
        broken();
    }

    /** The agent is gone, or cannot be reached. */
    void broken() {
        synchronized (responses) {
            closed = true;
        }
        leave();
    }

    @Override
    public void onCompleted() {
        leave();
        synchronized (responses) {
            if (!closed) {
                closed = true;
                responses.onCompleted();
            }
        }
    }

    @Override
    public void command(Command command, Optional<Gang> gang) {
        send(SessionResponse.newBuilder()
                .setCommand(WireCodec.command(command, gang))
                .build());
    }

    @Override
    public void acknowledgeOutput(Incarnation incarnation, OutputStreamName stream, long offset) {
        send(SessionResponse.newBuilder()
                .setOutputAck(OutputAck.newBuilder()
                        .setIncarnation(WireCodec.incarnation(incarnation))
                        .setStream(WireCodec.stream(stream))
                        .setOffset(offset))
                .build());
    }

    @Override
    public void signal(Incarnation incarnation, int signalNumber) {
        send(SessionResponse.newBuilder()
                .setSignal(SignalCommand.newBuilder()
                        .setIncarnation(WireCodec.incarnation(incarnation))
                        .setSignalNumber(signalNumber))
                .build());
    }

    @Override
    public void look(Incarnation incarnation, long round, boolean digest) {
        send(SessionResponse.newBuilder()
                .setTraffic(TrafficRequest.newBuilder()
                        .setIncarnation(WireCodec.incarnation(incarnation))
                        .setRound(round)
                        .setDigest(digest))
                .build());
    }

    @Override
    public void files(Incarnation incarnation, long request, boolean contents, List<String> paths) {
        send(SessionResponse.newBuilder()
                .setFiles(FilesWanted.newBuilder()
                        .setIncarnation(WireCodec.incarnation(incarnation))
                        .setRequest(request)
                        .setContents(contents)
                        .addAllPaths(paths))
                .build());
    }

    @Override
    public void answer(Wish wish, Wish.Outcome outcome, String text) {
        send(SessionResponse.newBuilder()
                .setCheckpointResult(CheckpointResult.newBuilder()
                        .setIncarnation(WireCodec.incarnation(wish.incarnation()))
                        .setVm(wish.vm().index())
                        .setWish(wish.number())
                        .setOutcome(
                                switch (outcome) {
                                    case COMMITTED -> CheckpointResult.Outcome.OUTCOME_COMMITTED;
                                    case FAILED -> CheckpointResult.Outcome.OUTCOME_FAILED;
                                    case UNAVAILABLE -> CheckpointResult.Outcome.OUTCOME_UNAVAILABLE;
                                })
                        .setText(text))
                .build());
    }

    @Override
    public void close(String reason) {
        end(Status.DEADLINE_EXCEEDED.withDescription(reason));
    }

    private void join(Join join) {
        NodeProfile profile = WireCodec.profile(join.getNode());
        SortedSet<Incarnation> held = WireCodec.held(join.getHeldList());
        if (!caller.isAgent(profile.agent())) {
            log.warn("{} is not the agent of node {}, and is refused", caller, profile.agent());
            end(Status.PERMISSION_DENIED.withDescription(
                    "the certificate of " + caller + " is not that of node " + profile.agent()));
            return;
        }
        Optional<String> objection = otherVersion(join)
                .map(reason -> entry.refuse(profile.agent(), reason))
                .or(() -> entry.objection(profile));
        if (objection.isPresent()) {
            end(Status.FAILED_PRECONDITION.withDescription(objection.get()));
            return;
        }
        // Before the registry knows the session, since from then on jobs send commands.
        send(SessionResponse.newBuilder()
                .setJoined(Joined.newBuilder()
                        .setHeartbeatMillis(registry.heartbeat().toMillis())
                        .setProtocolVersion(ProtocolVersion.PROTOCOL_VERSION_CURRENT_VALUE))
                .build());
        if (registry.join(profile, held, this)) {
            agent = profile.agent();
        } else {
            end(Status.ALREADY_EXISTS.withDescription("node " + profile.agent() + " is connected"));
        }
    }

    private static Optional<String> otherVersion(Join join) {
        int own = ProtocolVersion.PROTOCOL_VERSION_CURRENT_VALUE;
        return join.getProtocolVersion() == own
                ? Optional.empty()
                : Optional.of("node " + join.getNode().getNode() + " speaks version "
                        + Integer.toUnsignedString(join.getProtocolVersion()) + " of the protocol, the coordinator "
                        + own + ": give both the same version of Stillcut");
    }

    private void take(AgentId from, SessionRequest request) throws IOException {
        switch (request.getRequestCase()) {
            case HEARTBEAT ->
                send(SessionResponse.newBuilder()
                        .setHeartbeat(Heartbeat.getDefaultInstance())
                        .build());
            case JOIN -> {
                // That something was heard is all it says.
            }
            case REPORT -> {
                var report = WireCodec.report(from, request.getReport());
                post(from, report.key().incarnation(), new JobEvent.Reported(report));
            }
            case VM_LOST -> {
                var lost = request.getVmLost();
                Incarnation incarnation = WireCodec.incarnation(lost.getIncarnation());
                post(
                        from,
                        incarnation,
                        new JobEvent.VmLost(from, incarnation, new VmId(lost.getVm()), lost.getReason()));
            }
            case JOB_EXITED -> {
                var exited = request.getJobExited();
                Incarnation incarnation = WireCodec.incarnation(exited.getIncarnation());
                post(from, incarnation, new JobEvent.JobExited(incarnation, exited.getExitStatus()));
            }
            case OUTPUT -> output(from, request.getOutput());
            case CHECKPOINT_WANTED -> {
                var wanted = request.getCheckpointWanted();
                Incarnation incarnation = WireCodec.incarnation(wanted.getIncarnation());
                Wish wish = new Wish(from, incarnation, new VmId(wanted.getVm()), wanted.getWish());
                job(from, incarnation).ifPresent(loop -> loop.wish(wish));
            }
            case TRAFFIC -> {
                TrafficAnswer answer = TrafficCodec.answer(from, request.getTraffic());
                job(from, answer.incarnation()).ifPresent(loop -> loop.traffic(answer));
            }
            case REQUEST_NOT_SET -> log.warn("agent {} said something that this version does not know", from);
        }
    }

    private void post(AgentId from, Incarnation incarnation, JobEvent event) {
        job(from, incarnation).ifPresent(loop -> loop.post(event));
    }

    private void output(AgentId from, org.stillcut.v1.JobOutput output) throws IOException {
        Incarnation incarnation = WireCodec.incarnation(output.getIncarnation());
        Optional<JobLoop> loop = job(from, incarnation);
        // What an earlier incarnation still prints somewhere is nobody's output any more.
        if (loop.isPresent() && loop.get().state().job().incarnation().equals(incarnation)) {
            OutputStreamName stream = WireCodec.stream(output.getStream());
            long recorded = loop.get()
                    .output()
                    .append(stream, output.getOffset(), output.getData().asReadOnlyByteBuffer());
            acknowledgeOutput(incarnation, stream, recorded);
        }
    }

    /** The job that an agent speaks of, if the agent has a say: nobody speaks for the VMs of other nodes. */
    private Optional<JobLoop> job(AgentId from, Incarnation incarnation) {
        Optional<JobLoop> loop = jobs.find(incarnation.job());
        if (loop.isPresent() && isStrange(from, incarnation, loop.get().state().job())) {
            try (var _ = LogContext.of(incarnation.job())) {
                log.warn("agent {} speaks of {}, which it has no VM of", from, incarnation);
            }
            return Optional.empty();
        }
        return loop;
    }

    /** Of earlier incarnations, which may have been on other nodes, the job itself takes only that they are gone. */
    private static boolean isStrange(AgentId from, Incarnation incarnation, Job job) {
        return job.incarnation().equals(incarnation)
                && !job.placement().agents().contains(from);
    }

    private void leave() {
        AgentId left = agent;
        if (left != null) {
            registry.left(left, this);
        }
    }

    private boolean isClosed() {
        synchronized (responses) {
            return closed;
        }
    }

    private void send(SessionResponse response) {
        synchronized (responses) {
            if (!closed) {
                responses.onNext(response);
            }
        }
    }

    private void end(Status status) {
        leave();
        synchronized (responses) {
            if (!closed) {
                closed = true;
                responses.onError(status.asRuntimeException());
            }
        }
    }
}
