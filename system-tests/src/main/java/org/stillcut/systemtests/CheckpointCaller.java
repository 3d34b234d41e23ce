package org.stillcut.systemtests;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.stillcut.v1.Checkpoint;
import org.stillcut.v1.CheckpointServiceGrpc;
import org.stillcut.v1.CreateCheckpointRequest;

/** Asks a coordinator for checkpoints from this process: the start of the tool takes longer than a checkpoint. */
public final class CheckpointCaller implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    private final EventLoopGroup eventLoop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final ManagedChannel channel;

    public CheckpointCaller(Path socket) {
        channel = NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .eventLoopGroup(eventLoop)
                .channelType(EpollDomainSocketChannel.class)
                .usePlaintext()
                .build();
    }

    /** Returns when it is committed; a {@link io.grpc.StatusRuntimeException} says why it is not. */
    public Checkpoint checkpoint(String job) {
        return CheckpointServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
                .createCheckpoint(
                        CreateCheckpointRequest.newBuilder().setJobId(job).build())
                .getCheckpoint();
    }

    @Override
    public void close() {
        channel.shutdownNow();
        var ended = eventLoop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        if (!ended.awaitUninterruptibly(PATIENCE.toMillis())) {
            throw new IllegalStateException("the event loop does not end");
        }
    }
}
