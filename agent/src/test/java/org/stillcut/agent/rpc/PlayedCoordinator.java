package org.stillcut.agent.rpc;

import com.google.protobuf.ByteString;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.stillcut.address.HostPort;
import org.stillcut.security.Credentials;
import org.stillcut.v1.AgentServiceGrpc;
import org.stillcut.v1.FetchJobFilesRequest;
import org.stillcut.v1.FetchJobFilesResponse;
import org.stillcut.v1.Joined;
import org.stillcut.v1.ProtocolVersion;
import org.stillcut.v1.SessionRequest;
import org.stillcut.v1.SessionResponse;

/** A real gRPC server on the loopback, whose part the test plays. */
final class PlayedCoordinator extends AgentServiceGrpc.AgentServiceImplBase implements AutoCloseable {
    static final String ARCHIVE = "not really a tar archive";
    private static final int MOST_REQUESTS = 10_000;

    private final Server server;
    private final BlockingQueue<SessionRequest> requests = new ArrayBlockingQueue<>(MOST_REQUESTS);
    private final BlockingQueue<StreamObserver<SessionResponse>> sessions = new ArrayBlockingQueue<>(100);

    /** @param port 0: any that is free */
    PlayedCoordinator(int port) throws IOException {
        this(port, Optional.empty());
    }

    /** One that asks for certificates. */
    PlayedCoordinator(int port, Optional<Credentials> tls) throws IOException {
        NettyServerBuilder builder = NettyServerBuilder.forAddress(
                        new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port))
                .permitKeepAliveTime(1, TimeUnit.SECONDS)
                .addService(this);
        tls.ifPresent(credentials -> builder.sslContext(credentials.server(_ -> {})));
        server = builder.build().start();
    }

    HostPort address() {
        return new HostPort("127.0.0.1", server.getPort());
    }

    @Override
    public StreamObserver<SessionRequest> session(StreamObserver<SessionResponse> responses) {
        sessions.add(responses);
        return new StreamObserver<>() {
            @Override
            public void onNext(SessionRequest request) {
                requests.add(request);
            }

            @Override
            public void onError(Throwable failure) {
                requests.add(SessionRequest.getDefaultInstance());
            }

            @Override
            public void onCompleted() {
                responses.onCompleted();
            }
        };
    }

    @Override
    public void fetchJobFiles(FetchJobFilesRequest request, StreamObserver<FetchJobFilesResponse> pieces) {
        if (!request.getJobId().equals("j")) {
            pieces.onError(Status.NOT_FOUND.asException());
            return;
        }
        for (String piece : ARCHIVE.split("(?<= )", -1)) {
            pieces.onNext(FetchJobFilesResponse.newBuilder()
                    .setData(ByteString.copyFrom(piece, StandardCharsets.UTF_8))
                    .build());
        }
        pieces.onCompleted();
    }

    /** The next session, joined. */
    StreamObserver<SessionResponse> join(long heartbeatMillis) throws InterruptedException {
        return join(heartbeatMillis, ProtocolVersion.PROTOCOL_VERSION_CURRENT_VALUE);
    }

    /** The next session, joined by a coordinator of some version. */
    StreamObserver<SessionResponse> join(long heartbeatMillis, int version) throws InterruptedException {
        StreamObserver<SessionResponse> session = session();
        session.onNext(SessionResponse.newBuilder()
                .setJoined(
                        Joined.newBuilder().setHeartbeatMillis(heartbeatMillis).setProtocolVersion(version))
                .build());
        return session;
    }

    /** The next session, not yet answered. */
    StreamObserver<SessionResponse> session() throws InterruptedException {
        StreamObserver<SessionResponse> session = sessions.poll(20, TimeUnit.SECONDS);
        if (session == null) {
            throw new AssertionError("no session was opened");
        }
        return session;
    }

    /** The next request of that kind; heartbeats before it are skipped, and nothing else. */
    SessionRequest expect(SessionRequest.RequestCase kind) throws InterruptedException {
        while (true) {
            SessionRequest request = requests.poll(20, TimeUnit.SECONDS);
            if (request == null) {
                throw new AssertionError("no request " + kind);
            }
            if (request.getRequestCase() == kind) {
                return request;
            }
            if (request.getRequestCase() != SessionRequest.RequestCase.HEARTBEAT) {
                throw new AssertionError("instead of " + kind + " came " + request);
            }
        }
    }

    @Override
    public void close() {
        server.shutdownNow();
        boolean interrupted = false;
        try {
            if (!server.awaitTermination(10, TimeUnit.SECONDS)) {
                throw new AssertionError("the server does not end");
            }
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
