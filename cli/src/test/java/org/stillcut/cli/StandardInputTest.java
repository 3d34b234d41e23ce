package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class StandardInputTest {
    private static final long LIMIT = 1 << 20;

    private static InputStream bytes(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @EnumSource(names = {"FILE", "PIPE"})
    void wholeInputIsKept(StandardInput.Kind kind) throws Exception {
        String text = "1 2 3\n".repeat(50_000);
        Path file = new StandardInput(bytes(text), kind).spool(false, LIMIT).orElseThrow();
        assertThat(file).hasContent(text);
        StandardInput.forget(file);
        assertThat(file.getParent()).doesNotExist();
    }

    @ParameterizedTest
    @EnumSource(StandardInput.Kind.class)
    void emptyInputIsNone(StandardInput.Kind kind) throws Exception {
        assertThat(new StandardInput(bytes(""), kind).spool(true, LIMIT)).isEmpty();
    }

    @Test
    void terminalIsNotRead() throws Exception {
        InputStream typed = bytes("typed");
        assertThat(new StandardInput(typed, StandardInput.Kind.OTHER).spool(true, LIMIT))
                .isEmpty();
        assertThat(typed.available()).isEqualTo(5);
    }

    @Test
    void pipeThatNobodyWritesToHoldsNothingUp() throws Exception {
        try (PipedOutputStream open = new PipedOutputStream();
                PipedInputStream silent = new PipedInputStream(open)) {
            StandardInput input = new StandardInput(silent, StandardInput.Kind.PIPE);
            Console console = Console.of(() -> {
                try {
                    return input.spool(false, LIMIT).isPresent() ? 1 : 0;
                } catch (IOException | UsageException e) {
                    return 2;
                }
            });
            assertThat(console)
                    .isEqualTo(
                            new Console(
                                    0,
                                    "",
                                    "mpirun: standard input is a pipe without data; the job gets none (--stdin 0 waits for it)\n"));
        }
    }

    @Test
    void moreThanTheDiskTakesIsRefusedAndNothingIsLeft() throws Exception {
        List<Path> before = spooled();
        assertThatThrownBy(() ->
                        new StandardInput(bytes("x".repeat(2_000_000)), StandardInput.Kind.FILE).spool(false, LIMIT))
                .isInstanceOfSatisfying(
                        UsageException.class,
                        e -> assertThat(e.line()).startsWith("standard input is longer than 1.0 MiB"));
        assertThat(spooled()).isEqualTo(before);
    }

    private static List<Path> spooled() throws IOException {
        try (var files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(file -> file.getFileName().toString().startsWith("stillcut-stdin-"))
                    .sorted()
                    .toList();
        }
    }

    /** What a descriptor is, as a process sees its own. */
    @Test
    void kindsAreToldApart() throws Exception {
        Path file = Files.createTempFile("kind", "");
        try {
            assertThat(kindIn(ProcessBuilder.Redirect.from(file.toFile()))).contains(StandardInput.Kind.FILE);
            assertThat(kindIn(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile())))
                    .contains(StandardInput.Kind.OTHER);
            assertThat(kindIn(ProcessBuilder.Redirect.PIPE)).contains(StandardInput.Kind.PIPE);
        } finally {
            Files.delete(file);
        }
        assertThat(StandardInput.kindOf(Path.of("/proc/self/fd/9999"))).isEqualTo(StandardInput.Kind.OTHER);
    }

    private static Optional<StandardInput.Kind> kindIn(ProcessBuilder.Redirect redirect) throws Exception {
        Process process =
                new ProcessBuilder("sleep", "60").redirectInput(redirect).start();
        try {
            return Optional.of(StandardInput.kindOf(Path.of("/proc/" + process.pid() + "/fd/0")));
        } finally {
            process.destroyForcibly();
            assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        }
    }
}
