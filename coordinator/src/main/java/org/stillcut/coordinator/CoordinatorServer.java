package org.stillcut.coordinator;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The coordinator's ears: a unix socket, and a TCP address if there are agents elsewhere. */
final class CoordinatorServer implements AutoCloseable {
    private static final int MOST_MESSAGE_BYTES = 4 << 20;
    private static final int KEEPALIVE_SECONDS = 5;
    private static final int CLOSE_SECONDS = 5;

    private final EventLoopGroup eventLoop = new MultiThreadIoEventLoopGroup(2, EpollIoHandler.newFactory());
    private final List<Server> servers = new ArrayList<>();

    /** Starts to listen. */
    CoordinatorServer(Path socket, Optional<InetSocketAddress> listen, List<BindableService> services)
            throws IOException {
        try {
            listen(socket, listen, services);
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private void listen(Path socket, Optional<InetSocketAddress> listen, List<BindableService> services)
            throws IOException {
        Files.createDirectories(socket.toAbsolutePath().getParent());
        // A socket that an earlier process left behind would refuse us; whether that one still lives, its catalog's
        // lock tells.
        Files.deleteIfExists(socket);
        servers.add(start(
                NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toString()))
                        .bossEventLoopGroup(eventLoop)
                        .workerEventLoopGroup(eventLoop)
                        .channelType(EpollServerDomainSocketChannel.class),
                services));
        Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw----"));
        if (listen.isPresent()) {
            NettyServerBuilder builder = NettyServerBuilder.forAddress(listen.get())
                    .keepAliveTime(KEEPALIVE_SECONDS, TimeUnit.SECONDS)
                    .keepAliveTimeout(KEEPALIVE_SECONDS, TimeUnit.SECONDS)
                    .permitKeepAliveTime(1, TimeUnit.SECONDS);
            servers.add(start(builder, services));
        }
    }

    private static Server start(ServerBuilder<?> builder, List<BindableService> services) throws IOException {
        builder.maxInboundMessageSize(MOST_MESSAGE_BYTES);
        services.forEach(builder::addService);
        return builder.build().start();
    }

    @Override
    public void close() {
        servers.forEach(Server::shutdownNow);
        try {
            for (Server server : servers) {
                server.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        boolean ignored = eventLoop
                .shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS)
                .awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS);
    }
}
