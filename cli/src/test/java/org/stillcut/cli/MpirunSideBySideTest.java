package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * This machine's mpirun beside what the wrapper makes of the same words: what the mpirun in the VMs would get is run here, with
 * this machine's slots in the place of the VMs'. docs/mpirun.md has a row for each case.
 */
@Timeout(240)
class MpirunSideBySideTest {
    private static final String MPIRUN = "/usr/bin/mpirun";
    private static final String WHO = "echo \"$OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE\"";

    @TempDir
    private Path directory;

    @BeforeEach
    void makeFiles() throws IOException {
        Files.writeString(directory.resolve("hosts"), "localhost slots=3 # all\n");
        Files.writeString(directory.resolve("apps"), "-np 1 echo one\n-np 2 echo two # more\n");
        Files.writeString(directory.resolve("ranks"), "rank 0=localhost slot=0\n");
        Files.createDirectory(directory.resolve("sub"));
        Path program = Files.writeString(directory.resolve("program"), "#!/bin/sh\necho ran \"$@\"\n");
        assertThat(program.toFile().setExecutable(true)).isTrue();
    }

    /** What a run printed, its lines in no order, as ranks race, and how it ended. */
    private record Run(int status, List<String> out, String err) {}

    private Run run(List<String> command, Optional<Path> input) throws IOException, InterruptedException {
        Path err = Files.createTempFile(directory, "err", "");
        Path out = Files.createTempFile(directory, "out", "");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectInput(input.orElse(Path.of("/dev/null")).toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT", "1");
        builder.environment().put("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        builder.environment().put("SIDE", "by side");
        Process process = builder.start();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("does not end: " + command);
        }
        List<String> lines = new ArrayList<>(Files.readAllLines(out));
        Collections.sort(lines);
        return new Run(process.exitValue(), lines, Files.readString(err, StandardCharsets.UTF_8));
    }

    private Run real(List<String> words, Optional<Path> input) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(MPIRUN));
        command.addAll(words);
        return run(command, input);
    }

    /** As an agent starts it in the first VM, with all of the VMs' slots on this machine. */
    private Run wrapped(List<String> words, Optional<Path> input)
            throws IOException, InterruptedException, UsageException {
        List<String> ours = new ArrayList<>(List.of("--ckpt"));
        ours.addAll(words);
        MpirunArguments arguments = MpirunArguments.parse(ours, directory);
        VmShape shape = arguments.shape();
        List<String> command = new ArrayList<>(List.of(MPIRUN, "-H", "localhost:" + shape.count() * shape.slots()));
        command.addAll(arguments.mpirunArguments());
        return run(command, arguments.ignoresInput() ? Optional.empty() : input);
    }

    static Stream<List<String>> wordsThatMeanTheSame() {
        return Stream.of(
                List.of("-H", "localhost:2", "-np", "2", "sh", "-c", WHO),
                List.of("-H", "localhost:3", "sh", "-c", WHO),
                List.of("-host", "localhost,localhost", "sh", "-c", WHO),
                List.of("--hostfile", "hosts", "sh", "-c", WHO),
                List.of("-machinefile", "hosts", "-n", "2", "sh", "-c", WHO),
                List.of("-H", "localhost:2", "--npernode", "2", "sh", "-c", WHO),
                List.of("-H", "localhost:2", "-N", "2", "sh", "-c", WHO),
                List.of("-H", "localhost:2", "--map-by", "ppr:2:node", "sh", "-c", WHO),
                List.of("-H", "localhost:2", "--map-by", "node", "-np", "2", "sh", "-c", WHO),
                List.of("-H", "localhost:1", "--oversubscribe", "-np", "3", "sh", "-c", WHO),
                List.of("-H", "localhost:3", "-np", "1", "echo", "one", ":", "-np", "2", "echo", "two", ":x"),
                List.of("--oversubscribe", "--app", "apps"),
                List.of("-H", "localhost:1", "-np", "1", "./program", "--ckpt-vms", "-np", "9", "a b"),
                List.of("-H", "localhost:2", "-np", "2", "--tag-output", "echo", "hi"),
                List.of("-H", "localhost:2", "-np", "2", "--mca", "orte_tag_output", "1", "echo", "hi"),
                List.of("-H", "localhost:1", "-np", "1", "-x", "A=1 2", "-x", "SIDE", "sh", "-c", "echo $A $SIDE"),
                List.of("-H", "localhost:1", "-np", "1", "-wdir", "sub", "sh", "-c", "basename $PWD"),
                List.of("-H", "localhost:1", "--rankfile", "ranks", "-np", "1", "sh", "-c", WHO),
                // Exit statuses.
                List.of("-H", "localhost:2", "-np", "2", "sh", "-c", "exit 7"),
                List.of("-H", "localhost:2", "-np", "1", "true", ":", "-np", "1", "sh", "-c", "exit 5"),
                List.of("-H", "localhost:1", "-np", "1", "sh", "-c", "kill -9 $$"),
                List.of("-H", "localhost:1", "-np", "1", "sh", "-c", "kill -TERM $$"),
                List.of("-H", "localhost:1", "-np", "1", "--timeout", "1", "sleep", "30"),
                List.of("-H", "localhost:1", "-np", "1", "not-on-the-path"),
                List.of("-H", "localhost:1", "-np", "1", "--no-such-option", "true"));
    }

    @ParameterizedTest
    @MethodSource("wordsThatMeanTheSame")
    void sameWordsRunTheSame(List<String> words) throws Exception {
        Run real = real(words, Optional.empty());
        Run wrapped = wrapped(words, Optional.empty());
        assertThat(wrapped.status()).as(real.err() + wrapped.err()).isEqualTo(real.status());
        assertThat(wrapped.out()).isEqualTo(real.out());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--stdin 0", "--stdin none"})
    void inputGoesToTheSameRank(String option) throws Exception {
        Path input = Files.writeString(directory.resolve("input"), "first\nsecond\n");
        List<String> words = new ArrayList<>(List.of("-H", "localhost:2", "-np", "2"));
        words.addAll(option.isEmpty() ? List.of() : List.of(option.split(" ")));
        words.addAll(List.of("sh", "-c", "echo \"$OMPI_COMM_WORLD_RANK: $(cat)\""));
        Run real = real(words, Optional.of(input));
        assertThat(wrapped(words, Optional.of(input))).isEqualTo(real);
        assertThat(real.out()).contains(option.endsWith("none") ? "0: " : "0: first");
    }

    @Test
    void errorsAndOutputStayApart() throws Exception {
        List<String> words = List.of("-H", "localhost:1", "-np", "1", "sh", "-c", "echo out; echo err >&2");
        assertThat(wrapped(words, Optional.empty())).isEqualTo(real(words, Optional.empty()));
    }

    /** What the real one finds out when it has begun, the wrapper says before anything is booted. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "-H localhost:2 -np 3 true",
                "--hostfile /dev/null -np 1 true",
                "--hostfile /nowhere/hosts -np 1 true",
                "-H localhost:1 -np 1",
                "-H localhost:1 -np",
                "--app /nowhere/apps"
            })
    void whatTheRealOneRefusesIsRefused(String words) throws Exception {
        List<String> list = List.of(words.split(" "));
        assertThat(real(list, Optional.empty()).status()).isNotZero();
        assertThatThrownBy(() -> wrapped(list, Optional.empty())).isInstanceOf(UsageException.class);
    }
}
