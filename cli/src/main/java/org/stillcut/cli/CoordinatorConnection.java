package org.stillcut.cli;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.stillcut.v1.CheckpointServiceGrpc;
import org.stillcut.v1.JobServiceGrpc;
import org.stillcut.v1.NodeServiceGrpc;

/** The connection of one command to the coordinator: a unix socket on the same machine, or host and port. */
final class CoordinatorConnection implements AutoCloseable {
    static final String VARIABLE = "STILLCUT_COORDINATOR";
    static final String DEFAULT = "unix:/run/stillcut/coordinator.sock";

    private static final String UNIX_PREFIX = "unix:";
    private static final int LARGEST_PORT = 65_535;
    private static final long CLOSE_SECONDS = 2;

    private final String address;
    private final ManagedChannel channel;
    private final @Nullable EventLoopGroup eventLoop;

    private CoordinatorConnection(String address, ManagedChannel channel, @Nullable EventLoopGroup eventLoop) {
        this.address = address;
        this.channel = channel;
        this.eventLoop = eventLoop;
    }

    /** Prepares a connection; whether anybody is there shows at the first call. */
    static CoordinatorConnection to(String address) throws UsageException {
        if (address.startsWith(UNIX_PREFIX)) {
            EventLoopGroup eventLoop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
            DomainSocketAddress socket = new DomainSocketAddress(address.substring(UNIX_PREFIX.length()));
            ManagedChannel channel = NettyChannelBuilder.forAddress(socket)
                    .eventLoopGroup(eventLoop)
                    .channelType(EpollDomainSocketChannel.class)
                    .usePlaintext()
                    .build();
            return new CoordinatorConnection(address, channel, eventLoop);
        }
        int colon = address.lastIndexOf(':');
        if (colon <= 0
                || !address.substring(colon + 1).matches("[0-9]{1,5}")
                || Integer.parseInt(address.substring(colon + 1)) > LARGEST_PORT) {
            throw new UsageException("coordinator address '" + address + "': neither unix:/PATH nor HOST:PORT");
        }
        ManagedChannel channel = NettyChannelBuilder.forAddress(
                        address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)))
                .usePlaintext()
                .build();
        return new CoordinatorConnection(address, channel, null);
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

    JobServiceGrpc.JobServiceBlockingStub jobs() {
        return JobServiceGrpc.newBlockingStub(channel);
    }

    JobServiceGrpc.JobServiceStub asyncJobs() {
        return JobServiceGrpc.newStub(channel);
    }

    CheckpointServiceGrpc.CheckpointServiceBlockingStub checkpoints() {
        return CheckpointServiceGrpc.newBlockingStub(channel);
    }

    NodeServiceGrpc.NodeServiceBlockingStub nodes() {
        return NodeServiceGrpc.newBlockingStub(channel);
    }

    /** One line for a person about a failed call. */
    String describe(StatusRuntimeException failure) {
        Status status = failure.getStatus();
        String description = status.getDescription();
        if (status.getCode() == Status.Code.UNAVAILABLE) {
            return "no coordinator at " + address + "; start one, or say where it is with --coordinator or " + VARIABLE;
        }
        return description == null ? status.getCode().toString() : description;
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
