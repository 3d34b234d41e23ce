package org.stillcut.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class CoordinatorMainTest {
    private static String complaint(String... words) {
        PrintStream err = System.err;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (PrintStream stream = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            System.setErr(stream);
            assertThat(CoordinatorMain.execute(words)).isEqualTo(2);
        } finally {
            System.setErr(err);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void usageErrorsAreOneLine() {
        assertThat(complaint("--nonsense"))
                .isEqualTo("stillcut coordinator: Unknown option: '--nonsense' (stillcut coordinator --help tells"
                        + " more)\n");
        assertThat(complaint("--listen", "nowhere"))
                .isEqualTo("stillcut coordinator: --listen nowhere: not HOST:PORT\n");
        assertThat(complaint("--listen", "0.0.0.0:7070"))
                .isEqualTo("stillcut coordinator: --listen 0.0.0.0: not on loopback, so --tls is needed"
                        + " (stillcut ca init)\n");
        assertThat(complaint("--tls", "/none")).isEqualTo("stillcut coordinator: --tls: /none/ca.pem: there is none\n");
        assertThat(complaint("--agent-timeout=5"))
                .isEqualTo("stillcut coordinator: --agent-timeout 5: at least 1000\n");
    }
}
