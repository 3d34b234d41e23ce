package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.stillcut.security.Credentials;

/** The authority's commands, and the tool's and the wrapper's connections with what they issue. */
@Timeout(60)
class CertificatesTest {
    @TempDir
    private Path directory;

    private static Console stillcut(String... words) {
        return Console.of(() -> StillcutMain.execute(words));
    }

    private String ca(String name) {
        return directory.resolve(name).toString();
    }

    private Path issue(String authority, String role, String name, String... more) {
        if (!Files.exists(Path.of(ca(authority)))) {
            assertThat(stillcut("ca", "init", ca(authority)))
                    .isEqualTo(new Console(0, "authority made in " + ca(authority) + "\n", ""));
        }
        List<String> words = new ArrayList<>(List.of("ca", "issue", ca(authority), "--role", role, "--name", name));
        words.addAll(List.of(more));
        Path place = Path.of(ca(authority), "issued", role + "-" + name);
        assertThat(stillcut(words.toArray(String[]::new)))
                .isEqualTo(new Console(0, role + " " + name + ": " + place + "\n", ""));
        return place;
    }

    private FakeCoordinator coordinator(String... hosts) throws Exception {
        List<String> words = new ArrayList<>();
        for (String host : hosts) {
            words.addAll(List.of("--host", host));
        }
        Path place = issue("ca", "coordinator", "head", words.toArray(String[]::new));
        return new FakeCoordinator(Optional.of(Credentials.load(place, Instant.now())));
    }

    private static Console list(FakeCoordinator coordinator, Path tls) {
        return stillcut("status", "--coordinator", coordinator.address(), "--tls", tls.toString());
    }

    @Test
    void toolTalksToACoordinatorWithCertificates() throws Exception {
        try (FakeCoordinator coordinator = coordinator("localhost", "10.0.0.1")) {
            assertThat(list(coordinator, issue("ca", "user", "anna"))).isEqualTo(new Console(0, "no jobs\n", ""));
            assertThat(list(coordinator, issue("ca", "operator", "root"))).isEqualTo(new Console(0, "no jobs\n", ""));
        }
    }

    @Test
    void wrapperTakesTheSameCertificates() throws Exception {
        try (FakeCoordinator coordinator = coordinator("localhost")) {
            Path other = issue("other", "user", "anna");
            List<String> words = List.of(
                    "--ckpt-coordinator",
                    coordinator.address(),
                    "--ckpt-tls",
                    other.toString(),
                    "-np",
                    "1",
                    "/bin/true");
            Console console = Console.of(() ->
                    MpirunMain.run(words, new StandardInput(InputStream.nullInputStream(), StandardInput.Kind.FILE)));
            assertThat(console.status()).isEqualTo(4);
            assertThat(console.err())
                    .isEqualTo("mpirun: coordinator " + coordinator.address()
                            + ": the peer's certificate (coordinator head) is not signed by our authority\n");
        }
    }

    @Test
    void whatIsWrongWithACoordinatorIsOneLine() throws Exception {
        try (FakeCoordinator elsewhere = coordinator("head.cluster")) {
            assertThat(list(elsewhere, issue("ca", "user", "anna")))
                    .isEqualTo(
                            new Console(
                                    4,
                                    "",
                                    "stillcut: coordinator " + elsewhere.address()
                                            + ": the peer's certificate (coordinator head) is not that of the host we meant\n"));
            assertThat(list(elsewhere, issue("other", "user", "anna")).err())
                    .endsWith("(coordinator head) is not signed by our authority\n")
                    .hasLineCount(1);
        }
        try (FakeCoordinator plain = new FakeCoordinator()) {
            assertThat(list(plain, issue("ca", "user", "bert")))
                    .isEqualTo(new Console(
                            4,
                            "",
                            "stillcut: coordinator " + plain.address()
                                    + ": the peer does not speak TLS, and --tls asks for it\n"));
        }
    }

    @Test
    void coordinatorElsewhereNeedsACertificate() {
        assertThat(stillcut("list", "--coordinator", "head:7070"))
                .isEqualTo(new Console(
                        2,
                        "",
                        "stillcut: coordinator head:7070 is not on loopback, so a certificate is needed: --tls DIR or"
                                + " STILLCUT_TLS\n"));
    }

    @Test
    void certificatesThatAreNotForPeopleAreRefusedHere() {
        Path agent = issue("ca", "agent", "n1");
        assertThat(stillcut("list", "--coordinator", "head:7070", "--tls", agent.toString()))
                .isEqualTo(new Console(
                        2, "", "stillcut: --tls: the certificate is that of agent n1, which may not do this\n"));
        assertThat(stillcut("list", "--coordinator", "head:7070", "--tls", ca("none"))
                        .err())
                .isEqualTo("stillcut: --tls: " + ca("none") + "/ca.pem: there is none\n");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '"',
            value = {
                "--role god --name x; --role god: is user, operator, agent or coordinator",
                "--role user; --role user needs --name",
                "--role user --name a/b; 'a/b' is not a name: at most 63 letters, digits, '.', '_' and '-'",
                "--role user --name x --host h; --host is for coordinators",
                "--role user --name x --days 0; --days 0: 1 to 3650",
                "--role coordinator --host a/b; --host a/b: not a name or an address"
            })
    void whatCannotBeIssuedIsOneLine(String words, String line) {
        assertThat(stillcut("ca", "init", ca("ca")).status()).isZero();
        List<String> all = new ArrayList<>(List.of("ca", "issue", ca("ca")));
        all.addAll(List.of(words.split(" ")));
        assertThat(stillcut(all.toArray(String[]::new))).isEqualTo(new Console(2, "", "stillcut: " + line + "\n"));
    }

    @Test
    void authorityThatIsThereOrIsNotIsOneLine() {
        assertThat(stillcut("ca", "init", ca("ca")).status()).isZero();
        assertThat(stillcut("ca", "init", ca("ca")))
                .isEqualTo(new Console(1, "", "stillcut: " + ca("ca") + ": there is an authority already\n"));
        assertThat(stillcut("ca", "issue", ca("no"), "--role", "user", "--name", "x"))
                .isEqualTo(new Console(
                        1,
                        "",
                        "stillcut: " + ca("no") + "/ca.pem: there is none; stillcut ca init makes an authority\n"));
    }
}
