package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is made of the commands' own descriptions: completions and manual pages. */
@Timeout(60)
class GeneratedTextTest {
    @TempDir
    private Path directory;

    private static String output(String input, String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (OutputStream stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
        }
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }

    private static Console stillcut(String... words) {
        return Console.of(() -> StillcutMain.execute(words));
    }

    @Test
    void bashCompletesCommandsAndOptions() throws Exception {
        Path script = Files.writeString(
                directory.resolve("completion"), stillcut("completion", "bash").out());
        String ask = "source " + script + "\nCOMP_WORDS=(stillcut %s)\nCOMP_CWORD=%d\nCOMP_LINE='stillcut %s'\n"
                + "_complete_stillcut\nprintf '%%s\\n' \"${COMPREPLY[@]}\"\n";
        assertThat(output(ask.formatted("che", 1, "che"), "bash").lines().map(String::strip))
                .contains("checkpoint");
        assertThat(output(ask.formatted("status --f", 2, "status --f"), "bash")
                        .lines()
                        .map(String::strip))
                .contains("--follow");
    }

    @Test
    void zshScriptLoadsBashsWayFirst() {
        assertThat(stillcut("completion", "zsh").out()).startsWith("autoload -U +X compinit && compinit\n");
        assertThat(stillcut("completion", "fish").status()).isEqualTo(2);
    }

    @Test
    void everyCommandHasAManualPage() throws Exception {
        assertThat(stillcut("man", directory.toString())).isEqualTo(new Console(0, "", ""));
        Path section = directory.resolve("man1");
        for (String page : List.of("stillcut", "stillcut-status", "stillcut-node-list", "stillcut-mpirun")) {
            assertThat(section.resolve(page + ".1")).exists();
        }
        assertThat(section.resolve("stillcut-ls.1")).as("alias").doesNotExist();
        assertThat(Files.readString(section.resolve("stillcut-status.1")))
                .contains(".TH STILLCUT-STATUS 1", ".SH SYNOPSIS", ".B \\-f, \\-\\-follow", ".SH EXIT STATUS");
        try (var pages = Files.list(section)) {
            for (Path page : pages.toList()) {
                assertThat(Files.readAllLines(page))
                        .as(page.toString())
                        .noneMatch(line -> line.startsWith(".") && !line.matches("\\.(TH|SH|TP|B|br|nf|fi)( .*)?"));
            }
        }
    }

    @Test
    void pagesThatCannotBeWrittenAreOneLine() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "");
        Console console = stillcut("man", file.toString());
        assertThat(console.status()).isEqualTo(1);
        assertThat(console.err())
                .startsWith("stillcut: manual pages cannot be written to ")
                .hasLineCount(1);
    }
}
