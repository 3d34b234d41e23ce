package org.stillcut.agent.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class HostCommandRunnerTest {

    private static final Duration DEADLINE = Duration.ofSeconds(10);

    private final HostCommandRunner runner = new HostCommandRunner();

    @Test
    void outputAndInputPassThrough() throws Exception {
        String input = "line\n".repeat(100_000);
        assertThat(runner.run(CommandLine.of("cat").withInput(input), DEADLINE)).isEqualTo(input);
    }

    @Test
    void programThatIgnoresItsInputIsFine() throws Exception {
        assertThat(runner.run(CommandLine.of("true").withInput("x".repeat(1 << 20)), DEADLINE))
                .isEmpty();
    }

    @Test
    void failureNamesCommandExitCodeAndItsWords() {
        assertThatThrownBy(() -> runner.run(CommandLine.of("ls", "/no/such/path"), DEADLINE))
                .isInstanceOf(CommandException.class)
                .hasMessageStartingWith("'ls /no/such/path' ended with exit code 2: ls: ")
                .hasMessageNotContaining("\n");
    }

    @Test
    void missingProgramIsReported() {
        assertThatThrownBy(() -> runner.run(CommandLine.of("no-such-program"), DEADLINE))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining("could not be started");
    }

    @Test
    void slowProgramIsKilledAtTheDeadline() {
        assertThatThrownBy(() -> runner.run(CommandLine.of("sleep", "3600"), Duration.ofMillis(100)))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining("deadline");
        assertThat(ProcessHandle.current()
                        .children()
                        .filter(child -> child.info().command().orElse("").endsWith("/sleep")))
                .allSatisfy(child -> assertThat(child.onExit()).succeedsWithin(DEADLINE));
    }

    @Test
    void endlessOutputIsCutOff() {
        assertThatThrownBy(() -> runner.run(CommandLine.of("cat", "/dev/zero"), DEADLINE))
                .isInstanceOf(CommandException.class)
                .rootCause()
                .hasMessageContaining("wrote more than");
    }
}
