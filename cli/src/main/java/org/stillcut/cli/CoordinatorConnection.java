package org.stillcut.cli;

import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.stillcut.address.HostPort;
import org.stillcut.security.Credentials;
import org.stillcut.security.PlainConnections;
import org.stillcut.security.Role;
import org.stillcut.security.TlsDirectory;
import org.stillcut.security.TlsException;
import org.stillcut.v1.CheckpointServiceGrpc;
import org.stillcut.v1.JobServiceGrpc;
import org.stillcut.v1.NodeServiceGrpc;

/** The connection of one command to the coordinator: a unix socket on the same machine, or host and port. */
final class CoordinatorConnection implements AutoCloseable {
    static final String VARIABLE = "STILLCUT_COORDINATOR";
    static final String DEFAULT = "unix:/run/stillcut/coordinator.sock";

    private static final String UNIX_PREFIX = "unix:";
    private static final long CLOSE_SECONDS = 2;

    /** For calls that need nothing but the coordinator's memory. */
    private static final Duration QUICK = Duration.ofSeconds(30);

    private final String address;
    private final String option;
    private Optional<Deadline> budget = Optional.empty();
    private final ManagedChannel channel;
    private final @Nullable EventLoopGroup eventLoop;

    private CoordinatorConnection(
            String address, String option, ManagedChannel channel, @Nullable EventLoopGroup eventLoop) {
        this.address = address;
        this.option = option;
        this.channel = channel;
        this.eventLoop = eventLoop;
    }

    /** Prepares a connection without TLS; whether anybody is there shows at the first call. */
    static CoordinatorConnection to(String address) throws UsageException {
        return to(address, "--coordinator", Optional.empty());
    }

    /**
     * Names another option in its advice.
     *
     * @param tls directory of our credentials; a unix socket needs none
     */
    static CoordinatorConnection to(String address, String option, Optional<Path> tls) throws UsageException {
        if (address.startsWith(UNIX_PREFIX)) {
            EventLoopGroup eventLoop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
            DomainSocketAddress socket = new DomainSocketAddress(address.substring(UNIX_PREFIX.length()));
            ManagedChannel channel = NettyChannelBuilder.forAddress(socket)
                    .eventLoopGroup(eventLoop)
                    .channelType(EpollDomainSocketChannel.class)
                    .usePlaintext()
                    .build();
            return new CoordinatorConnection(address, option, channel, eventLoop);
        }
        HostPort peer = HostPort.parse(address)
                .orElseThrow(() ->
                        new UsageException("coordinator address '" + address + "': neither unix:/PATH nor HOST:PORT"));
        NettyChannelBuilder builder = NettyChannelBuilder.forAddress(peer.host(), peer.port());
        if (tls.isPresent()) {
            builder.sslContext(credentials(tls.get()).client());
        } else if (PlainConnections.isAllowed(peer)) {
            builder.usePlaintext();
        } else {
            throw new UsageException("coordinator " + address
                    + " is not on loopback, so a certificate is needed: --tls DIR or " + TlsDirectory.VARIABLE);
        }
        return new CoordinatorConnection(address, option, builder.build(), null);
    }

    private static Credentials credentials(Path directory) throws UsageException {
        try {
            return Credentials.load(directory, Instant.now()).require(EnumSet.of(Role.USER, Role.OPERATOR));
        } catch (TlsException e) {
            throw new UsageException("--tls: " + e.line());
        }
    }

    /** What {@code --coordinator}, else the environment, else the default says. */
    static String addressFrom(@Nullable String option) {
        if (option != null) {
            return option;
        }
        String variable = System.getenv(VARIABLE);
        return variable == null || variable.isBlank() ? DEFAULT : variable;
    }

    /** Makes the next call try to connect at once, whatever came of the last. */
    void tryAgain() {
        channel.resetConnectBackoff();
    }

    /** From now on all calls together may take so long, those that wait for a job too. */
    void limit(Duration time) {
        budget = Optional.of(Deadline.after(time.toMillis(), TimeUnit.MILLISECONDS));
    }

    private Deadline quick() {
        return budget.orElseGet(() -> Deadline.after(QUICK.toMillis(), TimeUnit.MILLISECONDS));
    }

    JobServiceGrpc.JobServiceBlockingStub jobs() {
        return JobServiceGrpc.newBlockingStub(channel).withDeadline(quick());
    }

    /** For calls that last as long as the job does; bounded only if this connection is. */
    JobServiceGrpc.JobServiceBlockingStub watchedJobs() {
        JobServiceGrpc.JobServiceBlockingStub stub = JobServiceGrpc.newBlockingStub(channel);
        return budget.map(stub::withDeadline).orElse(stub);
    }

    JobServiceGrpc.JobServiceStub asyncJobs() {
        return JobServiceGrpc.newStub(channel);
    }

    CheckpointServiceGrpc.CheckpointServiceBlockingStub checkpoints() {
        return CheckpointServiceGrpc.newBlockingStub(channel).withDeadline(quick());
    }

    NodeServiceGrpc.NodeServiceBlockingStub nodes() {
        return NodeServiceGrpc.newBlockingStub(channel).withDeadline(quick());
    }

    /** One line for a person about a failed call. */
    String describe(StatusRuntimeException failure) {
        Status status = failure.getStatus();
        String description = status.getDescription();
        Optional<TlsException> tls = TlsException.behind(failure);
        if (tls.isPresent()) {
            return "coordinator " + address + ": " + tls.get().line();
        }
        if (status.getCode() == Status.Code.UNAVAILABLE) {
            return "no coordinator at " + address + "; start one, or say where it is with " + option + " or "
                    + VARIABLE;
        }
        if (status.getCode() == Status.Code.DEADLINE_EXCEEDED && isOurs(status)) {
            return "no answer from the coordinator at " + address + " in time";
        }
        return description == null ? status.getCode().toString() : description;
    }

    /** gRPC's own text about a deadline is for programmers. */
    private static boolean isOurs(Status status) {
        String description = status.getDescription();
        return description == null || description.contains("CallOptions") || description.contains("deadline exceeded");
    }

    /** Where the coordinator was looked for. */
    String address() {
        return address;
    }

    @Override
    public void close() {
        channel.shutdownNow();
        try {
            channel.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (eventLoop != null) {
            boolean ignored = eventLoop
                    .shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS)
                    .awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS);
        }
    }
}
