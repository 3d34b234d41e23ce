package org.stillcut.agent.rpc;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.address.HostPort;
import org.stillcut.agent.gang.JobFilesSource;
import org.stillcut.agent.runtime.AgentLoop;
import org.stillcut.agent.runtime.CoordinatorLink;
import org.stillcut.agent.runtime.FilesRequest;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.security.Credentials;
import org.stillcut.security.TlsException;
import org.stillcut.v1.AgentServiceGrpc;
import org.stillcut.v1.CheckpointWanted;
import org.stillcut.v1.Heartbeat;
import org.stillcut.v1.JobExited;
import org.stillcut.v1.JobOutput;
import org.stillcut.v1.Join;
import org.stillcut.v1.NodeDescription;
import org.stillcut.v1.ProtocolVersion;
import org.stillcut.v1.SessionRequest;
import org.stillcut.v1.SessionResponse;
import org.stillcut.v1.VmLost;

/**
 * Keeps a session with the coordinator: opens one, and another whenever it breaks, until it is closed. Thread-safe.
 */
public final class CoordinatorSession implements CoordinatorLink, JobFilesSource, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CoordinatorSession.class);
    private static final Duration BETWEEN_TRIES = Duration.ofMillis(500);
    private static final int KEEPALIVE_SECONDS = 5;
    private static final int CLOSE_SECONDS = 2;

    /** Bounds of what the coordinator may ask for: no heartbeat must cost anything, or come too late to be of use. */
    private static final long FASTEST_BEAT_MILLIS = 50;

    private static final long SLOWEST_BEAT_MILLIS = 60_000;

    private final NodeDescription node;
    private final ManagedChannel channel;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("session").daemon().factory());
    private volatile long lastHeardNanos = System.nanoTime();
    private @Nullable AgentLoop loop;
    private @Nullable Session session;
    private boolean closed;
    private volatile String lastRefusal = "";

    /**
     * Prepares a session.
     *
     * @param tls who we are; empty: the coordinator is on this machine and does not ask
     */
    public CoordinatorSession(NodeDescription node, HostPort coordinator, Optional<Credentials> tls) {
        this.node = node;
        NettyChannelBuilder builder = NettyChannelBuilder.forAddress(coordinator.host(), coordinator.port())
                // Nothing that is done with an answer blocks, and the job stands still while it is handed on.
                .directExecutor()
                .keepAliveTime(KEEPALIVE_SECONDS, TimeUnit.SECONDS)
                .keepAliveTimeout(KEEPALIVE_SECONDS, TimeUnit.SECONDS);
        tls.ifPresentOrElse(credentials -> builder.sslContext(credentials.client()), builder::usePlaintext);
        this.channel = builder.build();
    }

    /** Begins to keep a session for this loop. */
    public void start(AgentLoop commanded) {
        this.loop = commanded;
        timer.execute(this::open);
    }

    @Override
    public void report(Report report) {
        send(SessionRequest.newBuilder().setReport(WireCodec.report(report)).build());
    }

    @Override
    public void vmLost(Incarnation incarnation, VmId vm, String reason) {
        send(SessionRequest.newBuilder()
                .setVmLost(VmLost.newBuilder()
                        .setIncarnation(WireCodec.incarnation(incarnation))
                        .setVm(vm.index())
                        .setReason(reason))
                .build());
    }

    @Override
    public void traffic(Incarnation incarnation, long round, List<VmTraffic> looks) {
        send(SessionRequest.newBuilder()
                .setTraffic(TrafficCodec.report(incarnation, round, looks))
                .build());
    }

    @Override
    public void noTraffic(Incarnation incarnation, long round, String reason) {
        send(SessionRequest.newBuilder()
                .setTraffic(TrafficCodec.report(incarnation, round, List.of()).toBuilder()
                        .setFailure(reason))
                .build());
    }

    @Override
    public Duration silence() {
        return Duration.ofNanos(System.nanoTime() - lastHeardNanos);
    }

    @Override
    public void checkpointWanted(Incarnation incarnation, VmId vm, long wish) {
        send(SessionRequest.newBuilder()
                .setCheckpointWanted(CheckpointWanted.newBuilder()
                        .setIncarnation(WireCodec.incarnation(incarnation))
                        .setVm(vm.index())
                        .setWish(wish))
                .build());
    }

    @Override
    public void jobExited(Incarnation incarnation, int exitStatus) {
        send(SessionRequest.newBuilder()
                .setJobExited(JobExited.newBuilder()
                        .setIncarnation(WireCodec.incarnation(incarnation))
                        .setExitStatus(exitStatus))
                .build());
    }

    @Override
    public void output(Incarnation incarnation, int stream, long offset, byte[] data) {
        send(SessionRequest.newBuilder()
                .setOutput(JobOutput.newBuilder()
                        .setIncarnation(WireCodec.incarnation(incarnation))
                        .setStream(WireCodec.stream(stream))
                        .setOffset(offset)
                        .setData(UnsafeByteOperations.unsafeWrap(data)))
                .build());
    }

    @Override
    public boolean deliverFiles(Incarnation incarnation, long request, FilesContent content)
            throws IOException, InterruptedException {
        return FilesUpload.send(AgentServiceGrpc.newStub(channel), incarnation, request, content);
    }

    @Override
    public synchronized boolean isConnected() {
        return session != null && session.joined;
    }

    @Override
    public void fetch(JobId job, Path archive) throws IOException {
        FilesDownload.fetch(AgentServiceGrpc.newBlockingStub(channel), job, archive);
    }

    @Override
    public void close() {
        Session open;
        synchronized (this) {
            closed = true;
            open = session;
            session = null;
        }
        if (open != null) {
            open.requests.onCompleted();
        }
        timer.shutdownNow();
        channel.shutdown();
        try {
            if (!channel.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                channel.shutdownNow();
            }
        } catch (InterruptedException e) {
            channel.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    private void send(SessionRequest request) {
        synchronized (this) {
            if (session == null || !session.joined) {
                return;
            }
            session.requests.onNext(request);
        }
    }

    private void open() {
        AgentLoop commanded = loop;
        if (commanded == null) {
            throw new IllegalStateException("a session without anybody to command");
        }
        try {
            Join.Builder join =
                    Join.newBuilder().setNode(node).setProtocolVersion(ProtocolVersion.PROTOCOL_VERSION_CURRENT_VALUE);
            commanded.held().forEach(incarnation -> join.addHeld(WireCodec.incarnation(incarnation)));
            synchronized (this) {
                if (closed) {
                    return;
                }
                // The channel's own pauses grow to minutes; a coordinator that is back gives its agents up long before.
                channel.resetConnectBackoff();
                Session fresh = new Session(commanded);
                session = fresh;
                fresh.requests = AgentServiceGrpc.newStub(channel).session(fresh);
                fresh.requests.onNext(SessionRequest.newBuilder().setJoin(join).build());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IllegalStateException e) {
            log.error("no session with the coordinator could be begun", e);
            schedule(this::open, BETWEEN_TRIES);
        }
    }

    private void ended(Session which, String why) {
        synchronized (this) {
            if (session != which) {
                return;
            }
            session = null;
            if (closed) {
                return;
            }
        }
        if (which.joined) {
            log.warn("session with the coordinator is broken: {}", why);
        } else if (!why.equals(lastRefusal)) {
            // Tried again twice a second, for as long as it takes: told once.
            log.warn("no session with the coordinator, trying on: {}", why);
        }
        lastRefusal = which.joined ? "" : why;
        schedule(this::open, BETWEEN_TRIES);
    }

    private void schedule(Runnable action, Duration delay) {
        var scheduled = timer.schedule(action, delay.toMillis(), TimeUnit.MILLISECONDS);
        log.trace("scheduled {}", scheduled);
    }

    private void beat(Session which, Duration pace) {
        synchronized (this) {
            if (session != which) {
                return;
            }
            which.requests.onNext(SessionRequest.newBuilder()
                    .setHeartbeat(Heartbeat.getDefaultInstance())
                    .build());
        }
        schedule(() -> beat(which, pace), pace);
    }

    /** One session; gRPC calls its methods one at a time. */
    private final class Session implements StreamObserver<SessionResponse> {
        private final AgentLoop commanded;
        private StreamObserver<SessionRequest> requests = new NoRequests();
        private volatile boolean joined;

        Session(AgentLoop commanded) {
            this.commanded = commanded;
        }

        /** Thrown on, an exception would end the session, and the next one would bring the same message again. */
        @Override
        public void onNext(SessionResponse response) {
            try {
                handle(response);
            } catch (IllegalArgumentException e) {
                log.error("the coordinator said what this version cannot make sense of; ignored: {}", response, e);
            }
        }

        private void handle(SessionResponse response) {
            lastHeardNanos = System.nanoTime();
            switch (response.getResponseCase()) {
                case JOINED -> {
                    if (response.getJoined().getProtocolVersion() != ProtocolVersion.PROTOCOL_VERSION_CURRENT_VALUE) {
                        refuse(response.getJoined().getProtocolVersion());
                        return;
                    }
                    joined = true;
                    log.info("joined the coordinator");
                    Duration pace = Duration.ofMillis(Math.clamp(
                            response.getJoined().getHeartbeatMillis(), FASTEST_BEAT_MILLIS, SLOWEST_BEAT_MILLIS));
                    schedule(() -> beat(this, pace), pace);
                    commanded.sessionBegan();
                }
                case COMMAND ->
                    commanded.command(WireCodec.command(response.getCommand()), WireCodec.plan(response.getCommand()));
                case OUTPUT_ACK -> {
                    var ack = response.getOutputAck();
                    commanded.outputRecorded(
                            WireCodec.incarnation(ack.getIncarnation()), ack.getStreamValue(), ack.getOffset());
                }
                case HEARTBEAT -> log.trace("the coordinator is there");
                case TRAFFIC -> {
                    var request = response.getTraffic();
                    commanded.look(
                            WireCodec.incarnation(request.getIncarnation()), request.getRound(), request.getDigest());
                }
                case CHECKPOINT_RESULT -> {
                    var result = response.getCheckpointResult();
                    commanded.checkpointResult(
                            WireCodec.incarnation(result.getIncarnation()),
                            new VmId(result.getVm()),
                            result.getWish(),
                            WireCodec.outcome(result.getOutcome()),
                            result.getText());
                }
                case SIGNAL -> {
                    var signal = response.getSignal();
                    commanded.signal(WireCodec.incarnation(signal.getIncarnation()), signal.getSignalNumber());
                }
                case FILES -> {
                    var wanted = response.getFiles();
                    commanded.sendFiles(
                            WireCodec.incarnation(wanted.getIncarnation()),
                            new FilesRequest(wanted.getRequest(), wanted.getContents(), wanted.getPathsList()));
                }
                case RESPONSE_NOT_SET -> log.warn("the coordinator said something that this version does not know");
            }
        }

        /** A coordinator that does not look at versions is told by its agents. */
        private void refuse(int version) {
            ended(
                    this,
                    "the coordinator speaks version " + Integer.toUnsignedString(version)
                            + " of the protocol, this agent "
                            + ProtocolVersion.PROTOCOL_VERSION_CURRENT_VALUE
                            + ": give both the same version of Stillcut");
            requests.onCompleted();
        }

        @Override
        public void onError(Throwable failure) {
            ended(
                    this,
                    TlsException.behind(failure)
                            .map(TlsException::line)
                            .orElse(Objects.toString(failure.getMessage())));
        }

        @Override
        public void onCompleted() {
            ended(this, "the coordinator has ended it");
        }
    }

    /** Before a session has its stream. */
    private static final class NoRequests implements StreamObserver<SessionRequest> {
        @Override
        public void onNext(SessionRequest request) {
            throw new IllegalStateException("no stream yet");
        }

        @Override
        public void onError(Throwable failure) {
            throw new IllegalStateException("no stream yet", failure);
        }

        @Override
        public void onCompleted() {
            // Nothing was begun.
        }
    }
}
