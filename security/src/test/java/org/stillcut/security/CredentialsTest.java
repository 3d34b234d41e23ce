package org.stillcut.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stillcut.address.HostPort;
import org.stillcut.security.ca.AuthorityException;
import org.stillcut.security.ca.CertificateAuthority;

class CredentialsTest {
    private static final Duration DAY = Duration.ofDays(1);

    @TempDir
    private Path directory;

    /** The platform's validation knows no other time than the machine's. */
    private final Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);

    private CertificateAuthority authority;

    @BeforeEach
    void makeAuthority() throws Exception {
        authority = authority("ca");
    }

    private CertificateAuthority authority(String name) throws Exception {
        return CertificateAuthority.create(directory.resolve(name), InstantSource.fixed(now), new SecureRandom());
    }

    private static Path issue(CertificateAuthority from, Role role, String name) throws Exception {
        List<String> hosts = role == Role.COORDINATOR ? List.of("head.cluster", "10.0.0.1", "::1") : List.of();
        Identity identity = new Identity(role, name);
        Path target = from.placeOf(identity);
        from.issue(new CertificateAuthority.Request(identity, hosts, DAY), target);
        return target;
    }

    private static void assertProblem(TlsProblem problem, String line, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(TlsException.class, e -> {
            assertThat(e.problem()).isEqualTo(problem);
            assertThat(e.line()).contains(line).doesNotContain("\n");
        });
    }

    @Test
    void whatTheAuthorityIssuesSaysWhoItsHolderIs() throws Exception {
        for (Role role : Role.values()) {
            Credentials credentials = Credentials.load(issue(authority, role, "n-1.x"), now);
            assertThat(credentials.identity()).isEqualTo(new Identity(role, "n-1.x"));
        }
    }

    @Test
    void keysAreForTheirOwnersAlone() throws Exception {
        Path issued = issue(authority, Role.USER, "anna");
        for (Path file : List.of(issued.resolve("key.pem"), directory.resolve("ca/ca-key.pem"))) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .as(file.toString())
                    .isEqualTo("rw-------");
        }
        for (Path file : List.of(issued, directory.resolve("ca"))) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .as(file.toString())
                    .isEqualTo("rwx------");
        }
    }

    @Test
    void authorityIsNotOverwritten() {
        assertThatThrownBy(() -> authority("ca"))
                .isInstanceOf(AuthorityException.class)
                .hasMessageContaining("there is an authority already");
        assertThatThrownBy(() -> {
                    issue(authority, Role.USER, "anna");
                    issue(authority, Role.USER, "anna");
                })
                .isInstanceOf(AuthorityException.class)
                .hasMessageContaining("is there already");
    }

    @Test
    void authorityIsOpenedAgain() throws Exception {
        CertificateAuthority again =
                CertificateAuthority.open(directory.resolve("ca"), InstantSource.fixed(now), new SecureRandom());
        assertThat(Credentials.load(issue(again, Role.AGENT, "n1"), now)
                        .identity()
                        .name())
                .isEqualTo("n1");
        assertThatThrownBy(() -> CertificateAuthority.open(
                        directory.resolve("none"), InstantSource.fixed(now), new SecureRandom()))
                .isInstanceOf(AuthorityException.class)
                .hasMessageContaining("stillcut ca init");
    }

    @Test
    void certificatesOutOfTheirTimeAreRefused() throws Exception {
        Path issued = issue(authority, Role.USER, "anna");
        assertProblem(
                TlsProblem.EXPIRED,
                "cert.pem: expired on " + now.plus(DAY),
                () -> Credentials.load(issued, now.plus(DAY).plusSeconds(1)));
        assertProblem(
                TlsProblem.NOT_YET_VALID, "ca.pem: not valid before", () -> Credentials.load(issued, now.minus(DAY)));
        assertProblem(
                TlsProblem.EXPIRED,
                "ca.pem: expired on",
                () -> Credentials.load(issued, now.plus(Duration.ofDays(4000))));
    }

    @Test
    void certificateOfAnotherAuthorityIsRefused() throws Exception {
        Path issued = issue(authority, Role.USER, "anna");
        Path other = issue(authority("other"), Role.USER, "anna");
        Files.copy(other.resolve("ca.pem"), issued.resolve("ca.pem"), StandardCopyOption.REPLACE_EXISTING);
        assertProblem(
                TlsProblem.OTHER_AUTHORITY, "cert.pem: not signed by ca.pem", () -> Credentials.load(issued, now));
    }

    @Test
    void keyOfAnotherCertificateIsRefused() throws Exception {
        Path issued = issue(authority, Role.USER, "anna");
        Path other = issue(authority, Role.USER, "bert");
        Files.copy(other.resolve("key.pem"), issued.resolve("key.pem"), StandardCopyOption.REPLACE_EXISTING);
        assertProblem(TlsProblem.KEY_MISMATCH, "key.pem: not the key of", () -> Credentials.load(issued, now));
    }

    @Test
    void keyThatOthersMayReadIsRefused() throws Exception {
        Path issued = issue(authority, Role.USER, "anna");
        Path key = issued.resolve("key.pem");
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r-----"));
        assertProblem(TlsProblem.KEY_EXPOSED, "chmod 600", () -> Credentials.load(issued, now));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ca.pem", "cert.pem", "key.pem"})
    void filesThatAreMissingOrNonsenseAreNamed(String name) throws Exception {
        Path issued = issue(authority, Role.USER, "anna");
        Path file = issued.resolve(name);
        overwrite(file, "nonsense");
        assertProblem(TlsProblem.UNREADABLE, name + ": ", () -> Credentials.load(issued, now));
        overwrite(file, "");
        assertProblem(TlsProblem.UNREADABLE, name + ": ", () -> Credentials.load(issued, now));
        Files.delete(file);
        assertProblem(TlsProblem.UNREADABLE, name + ": there is none", () -> Credentials.load(issued, now));
    }

    private static void overwrite(Path file, String text) throws IOException {
        Files.writeString(file, text);
    }

    @Test
    void roleAndNodeMustFit() throws Exception {
        Credentials agent = Credentials.load(issue(authority, Role.AGENT, "n1"), now);
        assertThat(agent.requireAgent("n1")).isSameAs(agent);
        assertProblem(
                TlsProblem.WRONG_NAME,
                "the certificate is that of agent n1, and this is node n2",
                () -> agent.requireAgent("n2"));
        assertProblem(TlsProblem.WRONG_ROLE, "agent n1", () -> agent.require(EnumSet.of(Role.USER)));
        Credentials user = Credentials.load(issue(authority, Role.USER, "n1"), now);
        assertProblem(TlsProblem.WRONG_ROLE, "user n1", () -> user.requireAgent("n1"));
    }

    @Test
    void onlyCoordinatorsHaveHosts() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new CertificateAuthority.Request(new Identity(Role.COORDINATOR, "c"), List.of(), DAY))
                .withMessageContaining("--host");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new CertificateAuthority.Request(new Identity(Role.USER, "u"), List.of("h"), DAY));
        for (String host : List.of("a b", "-x", "", "a_b", "x\n")) {
            assertThatIllegalArgumentException()
                    .as(host)
                    .isThrownBy(() -> authority.issue(
                            new CertificateAuthority.Request(new Identity(Role.COORDINATOR, "c"), List.of(host), DAY),
                            directory.resolve("x")));
        }
    }

    @Test
    void namesAreReadAsTheyAreWritten() {
        for (Role role : Role.values()) {
            Identity identity = new Identity(role, "a.b_c-d");
            assertThat(Identity.parse(identity.uri())).contains(identity);
        }
        for (String text : List.of(
                "",
                "stillcut://root/x",
                "stillcut://user/",
                "stillcut://user/a/b",
                "http://user/a",
                "stillcut://user/.x")) {
            assertThat(Identity.parse(text)).as(text).isEmpty();
        }
        assertThatIllegalArgumentException().isThrownBy(() -> new Identity(Role.USER, "a/b"));
        assertThatIllegalArgumentException().isThrownBy(() -> new Identity(Role.USER, "a".repeat(64)));
    }

    @Test
    void onlyLoopbackIsPlain() {
        for (String host : List.of("localhost", "127.0.0.1", "127.9.9.9", "::1")) {
            assertThat(PlainConnections.isAllowed(new HostPort(host, 1)))
                    .as(host)
                    .isTrue();
        }
        for (String host : List.of("0.0.0.0", "::", "10.0.0.1", "head", "localhost.evil.org", "127.0.0.1.org")) {
            assertThat(PlainConnections.isAllowed(new HostPort(host, 1)))
                    .as(host)
                    .isFalse();
        }
    }

    @Test
    void refusalsAreToldOnceAMinuteAndNeverWithoutBound() {
        long[] time = {0};
        List<String> told = new ArrayList<>();
        RefusalLog log = new RefusalLog(told::add, () -> time[0]);
        for (int i = 0; i < 10; i++) {
            log.accept(refusal("same"));
        }
        assertThat(told).containsExactly("same");
        for (int i = 0; i < 1000; i++) {
            log.accept(refusal("line " + i));
        }
        assertThat(told).hasSize(100);
        time[0] += Duration.ofMinutes(1).toNanos();
        log.accept(refusal("same"));
        assertThat(told).hasSize(101).last().isEqualTo("same");
    }

    private static PeerRefusedException refusal(String line) {
        return new PeerRefusedException(TlsProblem.EXPIRED, line, new IllegalStateException());
    }
}
