package org.stillcut.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.security.Identity;
import org.stillcut.security.Role;
import org.stillcut.security.ca.CertificateAuthority;

class AgentMainTest {
    private static String complaint(String... words) {
        PrintStream err = System.err;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (PrintStream stream = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            System.setErr(stream);
            assertThat(AgentMain.execute(words)).isEqualTo(2);
        } finally {
            System.setErr(err);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void missingOptionsAreOneLine() {
        assertThat(complaint())
                .isEqualTo("stillcut agent: Missing required options: '--node=<node>', '--coordinator=HOST:PORT',"
                        + " '--data-address=ADDRESS' (stillcut agent --help tells more)\n");
    }

    @Test
    void addressThatIsNoneIsOneLine() {
        assertThat(complaint("--node=a", "--coordinator=nowhere", "--data-address=127.0.0.1"))
                .isEqualTo("stillcut agent: --coordinator nowhere: not HOST:PORT\n");
    }

    @Test
    void coordinatorElsewhereNeedsACertificate() {
        assertThat(complaint("--node=a", "--coordinator=10.0.0.1:7070", "--data-address=127.0.0.1"))
                .isEqualTo("stillcut agent: --coordinator 10.0.0.1:7070: not on loopback, so --tls is needed"
                        + " (stillcut ca init)\n");
    }

    @Test
    void certificateOfAnotherNodeOrRoleIsOneLine(@TempDir Path directory) throws Exception {
        CertificateAuthority authority =
                CertificateAuthority.create(directory.resolve("ca"), InstantSource.system(), new SecureRandom());
        for (Identity identity : List.of(new Identity(Role.AGENT, "b"), new Identity(Role.USER, "a"))) {
            Path tls = authority.placeOf(identity);
            authority.issue(new CertificateAuthority.Request(identity, List.of(), Duration.ofDays(1)), tls);
            assertThat(complaint("--node=a", "--coordinator=h:7070", "--data-address=127.0.0.1", "--tls=" + tls))
                    .startsWith("stillcut agent: --tls: the certificate is that of " + identity + ", ")
                    .hasLineCount(1);
        }
        assertThat(complaint("--node=a", "--coordinator=h:1", "--data-address=127.0.0.1", "--tls=" + directory))
                .isEqualTo("stillcut agent: --tls: " + directory.resolve("ca.pem") + ": there is none\n");
    }
}
