package org.stillcut.agent.gang;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class StandardInputTest {
    @TempDir
    private Path directory;

    private static String output(List<String> command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        return output;
    }

    @Test
    void programReadsTheFileAndKeepsItsArguments() throws Exception {
        Path file = Files.writeString(directory.resolve("a \"quoted\" $name"), "42\n");
        List<String> command = List.of("/bin/sh", "-c", "cat; printf '<%s>' \"$@\"", "x", "one two", "$HOME", "");
        assertThat(output(StandardInput.of(file.toString(), command))).isEqualTo("42\n<one two><$HOME><>");
    }

    @Test
    void withoutAFileTheCommandIsLeftAlone() {
        assertThat(StandardInput.of("", List.of("mpirun", "-np", "1"))).containsExactly("mpirun", "-np", "1");
    }
}
