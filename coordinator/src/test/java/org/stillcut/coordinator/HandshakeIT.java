package org.stillcut.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.security.Credentials;
import org.stillcut.security.Role;
import org.stillcut.security.TlsException;
import org.stillcut.security.TlsProblem;
import org.stillcut.security.ca.CertificateAuthority;

/** Whom a coordinator and its callers talk to at all, by certificates over real connections on loopback. */
@Timeout(120)
class HandshakeIT extends AccessFixture {
    private static void assertProblem(TlsProblem problem, ManagedChannel caller) {
        assertThatThrownBy(() -> jobsSeenBy(caller)).isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
            assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
            TlsException behind = TlsException.behind(e).orElseThrow(() -> new AssertionError("no TLS", e));
            assertThat(behind.problem()).as(behind.line()).isEqualTo(problem);
            assertThat(behind.line()).isNotBlank().doesNotContain("\n");
        });
    }

    @Test
    void strangersAreRefusedInTheHandshake() throws Exception {
        Path other = issue(newAuthority("other"), Role.OPERATOR, "eve", DAY);
        // It knows our authority as well, so that it does not itself end the handshake.
        Files.writeString(
                other.resolve("ca.pem"),
                Files.readString(other.resolve("ca.pem")) + Files.readString(directory.resolve("ca/ca.pem")));
        assertProblem(TlsProblem.HANDSHAKE, to("127.0.0.1", Credentials.load(other, Instant.now())));
        // A coordinator's certificate is for being called.
        assertProblem(TlsProblem.HANDSHAKE, as(Role.COORDINATOR, "other"));
    }

    @Test
    void callerWithoutACertificateIsRefused() {
        ManagedChannel plain = NettyChannelBuilder.forAddress("127.0.0.1", coordinator.port())
                .usePlaintext()
                .build();
        channels.add(plain);
        assertStatus(Status.Code.UNAVAILABLE, () -> jobsSeenBy(plain));
    }

    @Test
    void callersKnowACoordinatorFromOthers() throws Exception {
        Path other = issue(newAuthority("other"), Role.USER, "anna", DAY);
        assertProblem(TlsProblem.OTHER_AUTHORITY, to("127.0.0.1", Credentials.load(other, Instant.now())));
        // The certificate is for 127.0.0.1, and not for whatever else leads there.
        assertProblem(TlsProblem.WRONG_NAME, to("localhost", credentials(Role.USER, "bert")));
        closeCoordinator();
        coordinator = Coordinator.open(listening(credentials(Role.AGENT, "evil")), GIVES_UP);
        assertProblem(TlsProblem.WRONG_ROLE, as(Role.USER, "carl"));
    }

    @Test
    void expiredCertificatesAreRefusedOnBothSides() throws Exception {
        Duration life = Duration.ofSeconds(3);
        CertificateAuthority authority = authority("ca");
        Credentials user = Credentials.load(issue(authority, Role.USER, "short", life), Instant.now());
        Credentials server = Credentials.load(issue(authority, Role.COORDINATOR, "short", life), Instant.now());
        Instant end = Instant.now().plus(life);
        closeCoordinator();
        coordinator = Coordinator.open(listening(server), GIVES_UP);
        Supplier<Boolean> over = () -> Instant.now().isAfter(end);
        Eventually.see("the end of the certificates", over::get, isOver -> isOver);
        assertProblem(TlsProblem.EXPIRED, as(Role.USER, "long"));
        coordinator.close();
        openCoordinator(directory.resolve("state"));
        assertProblem(TlsProblem.HANDSHAKE, to("127.0.0.1", user));
    }

    @Test
    void listeningBeyondLoopbackNeedsCertificates() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new CoordinatorConfig(
                        directory,
                        directory,
                        directory,
                        Optional.of(new InetSocketAddress(InetAddress.ofLiteral("0.0.0.0"), 7070)),
                        Optional.empty(),
                        Optional.empty(),
                        Duration.ofSeconds(20)))
                .withMessage("--listen 0.0.0.0: not on loopback, so --tls is needed (stillcut ca init)");
    }
}
