package org.stillcut.coordinator;

import io.grpc.BindableService;
import io.grpc.Server;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.rpc.AccessInterceptor;
import org.stillcut.security.Credentials;
import org.stillcut.security.RefusalLog;

/** The coordinator's ears: a unix socket, and a TCP address if there are agents elsewhere, with TLS unless it is on loopback. */
final class CoordinatorServer implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CoordinatorServer.class);
    private static final int MOST_MESSAGE_BYTES = 4 << 20;
    private static final int KEEPALIVE_SECONDS = 5;
    private static final int CLOSE_SECONDS = 5;

    private final EventLoopGroup eventLoop = new MultiThreadIoEventLoopGroup(2, EpollIoHandler.newFactory());
    private final List<Server> servers = new ArrayList<>();

    /** Starts to listen. */
    CoordinatorServer(CoordinatorConfig config, List<BindableService> services) throws IOException {
        try {
            listenOnSocket(config.socket(), services);
            if (config.listen().isPresent()) {
                listen(config.listen().get(), config.tls(), services);
            }
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private void listenOnSocket(Path socket, List<BindableService> services) throws IOException {
        Files.createDirectories(socket.toAbsolutePath().getParent());
        // A socket that an earlier process left behind would refuse us; whether that one still lives, its catalog's
        // lock tells.
        Files.deleteIfExists(socket);
        servers.add(start(
                NettyServerBuilder.forAddress(new DomainSocketAddress(socket.toString()))
                        .bossEventLoopGroup(eventLoop)
                        .workerEventLoopGroup(eventLoop)
                        .channelType(EpollServerDomainSocketChannel.class),
                services,
                new AccessInterceptor(false)));
        Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw----"));
    }

    private void listen(InetSocketAddress address, Optional<Credentials> tls, List<BindableService> services)
            throws IOException {
        NettyServerBuilder builder = NettyServerBuilder.forAddress(address)
                .keepAliveTime(KEEPALIVE_SECONDS, TimeUnit.SECONDS)
                .keepAliveTimeout(KEEPALIVE_SECONDS, TimeUnit.SECONDS)
                .permitKeepAliveTime(1, TimeUnit.SECONDS);
        if (tls.isPresent()) {
            RefusalLog refusals = new RefusalLog(line -> log.warn("a caller is refused: {}", line), System::nanoTime);
            builder.sslContext(tls.get().server(refusals));
        }
        servers.add(start(builder, services, new AccessInterceptor(tls.isPresent())));
    }

    private static Server start(NettyServerBuilder builder, List<BindableService> services, AccessInterceptor access)
            throws IOException {
        builder.maxInboundMessageSize(MOST_MESSAGE_BYTES).intercept(access);
        services.stream().map(BindableService::bindService).forEach(service -> {
            AccessInterceptor.requireEntries(service.getServiceDescriptor());
            builder.addService(service);
        });
        return builder.build().start();
    }

    /** Where the TCP listener is that was opened last; 0: none was. */
    int port() {
        return Math.max(0, servers.getLast().getPort());
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
