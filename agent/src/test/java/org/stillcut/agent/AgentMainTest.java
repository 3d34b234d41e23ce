package org.stillcut.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

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
}
