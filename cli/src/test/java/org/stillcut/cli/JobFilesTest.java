package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class JobFilesTest {
    private static final long LIMIT = 1 << 20;

    @TempDir
    private Path temporary;

    private Path outer = Path.of("");
    private Path work = Path.of("");

    @BeforeEach
    void makeFiles() throws IOException {
        outer = Files.createDirectory(temporary.toRealPath().resolve("outer"));
        work = Files.createDirectory(outer.resolve("work"));
        Files.setPosixFilePermissions(outer, PosixFilePermissions.fromString("rwx--x--x"));
        Files.writeString(work.resolve("input.txt"), "42\n");
        Files.createDirectory(work.resolve("sub"));
        Files.writeString(work.resolve("sub/-odd name\u00e4"), "odd");
        executable(work.resolve("solver"));
        Files.writeString(outer.resolve("neighbour"), "not ours");
    }

    private static Path executable(Path file) throws IOException {
        Files.writeString(file, "#!/bin/sh\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private List<MpirunArguments.Program> programs(String typed) {
        return List.of(new MpirunArguments.Program(typed, work));
    }

    private JobFiles files(String program) throws UsageException {
        return JobFiles.of(work, programs(program), List.of(), LIMIT);
    }

    private static byte[] archive(JobFiles files) throws IOException {
        ByteArrayOutputStream tar = new ByteArrayOutputStream();
        files.archive(tar::writeBytes);
        return tar.toByteArray();
    }

    private static String tar(byte[] archive, String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of("tar"));
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (OutputStream input = process.getOutputStream()) {
            new ByteArrayInputStream(archive).transferTo(input);
        }
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }

    private static List<String> names(byte[] archive) throws Exception {
        return tar(archive, "--list", "--quoting-style=literal").lines().toList();
    }

    private static String rooted(Path path) {
        return path.toString().substring(1);
    }

    @Test
    void workingDirectoryComesWithAllThatIsInItAndNothingBeside() throws Exception {
        List<String> names = names(archive(files("./solver")));
        assertThat(names)
                .contains(
                        rooted(outer) + "/",
                        rooted(work) + "/",
                        rooted(work) + "/input.txt",
                        rooted(work) + "/sub/",
                        rooted(work) + "/sub/-odd name\u00e4",
                        rooted(work) + "/solver")
                .noneMatch(name -> name.contains("neighbour"));
    }

    @Test
    void directoriesAboveKeepTheirModes() throws Exception {
        Path unpacked = Files.createDirectory(temporary.resolve("unpacked"));
        tar(archive(files("./solver")), "--extract", "--directory=" + unpacked);
        Path there = unpacked.resolve(rooted(outer));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(there)))
                .isEqualTo("rwx--x--x");
        assertThat(there.resolve("work/input.txt")).hasContent("42");
        assertThat(Files.isExecutable(there.resolve("work/solver"))).isTrue();
    }

    @Test
    void programElsewhereComesAlong() throws Exception {
        Path program = executable(outer.resolve("tool"));
        assertThat(names(archive(files(program.toString()))))
                .contains(rooted(program), rooted(work) + "/input.txt")
                .noneMatch(name -> name.contains("neighbour"));
        assertThat(names(archive(files("../tool")))).contains(rooted(program));
    }

    @Test
    void programOfThePathIsTheGuestsOwn() throws Exception {
        assertThat(names(archive(files("java")))).noneMatch(name -> name.endsWith("/java"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/bin/sh", "/usr/bin/env", "/lib/../bin/sh", "/usr/bin/not-on-this-machine"})
    void programsOfTheSystemAreTheGuestsOwn(String program) throws Exception {
        assertThat(names(archive(files(program))))
                .noneMatch(name -> name.startsWith("bin") || name.startsWith("usr") || name.startsWith("lib"));
    }

    @Test
    void linkToASystemProgramComesAlongAsTheLinkItIs() throws Exception {
        Files.createSymbolicLink(outer.resolve("shell"), Path.of("/bin/sh"));
        Path unpacked = unpack(files("../shell"));
        assertThat(Files.readSymbolicLink(unpacked.resolve(rooted(outer)).resolve("shell")))
                .isEqualTo(Path.of("/bin/sh"));
        assertThat(unpacked.resolve("bin")).doesNotExist();
    }

    @Test
    void programBehindLinksComesWithAllOfThemAndItsFile() throws Exception {
        Path version = Files.createDirectories(outer.resolve("solver-1.2/bin"));
        executable(version.resolve("tool"));
        Files.createSymbolicLink(outer.resolve("solver"), Path.of("solver-1.2"));
        Files.createSymbolicLink(outer.resolve("start"), outer.resolve("solver/bin/tool"));
        Path unpacked = unpack(files(outer.resolve("start").toString()));
        Path there = unpacked.resolve(rooted(outer));
        assertThat(Files.readSymbolicLink(there.resolve("start"))).isEqualTo(outer.resolve("solver/bin/tool"));
        assertThat(there.resolve("solver/bin/tool")).isExecutable();
        assertThat(Files.isSymbolicLink(there.resolve("solver"))).isTrue();
    }

    @Test
    void linksInACircleAreRefused() throws Exception {
        Files.createSymbolicLink(outer.resolve("a"), Path.of("b"));
        Files.createSymbolicLink(outer.resolve("b"), Path.of("a"));
        PackedPaths paths = new PackedPaths();
        assertThatThrownBy(() -> paths.add(outer.resolve("a")))
                .isInstanceOfSatisfying(
                        UsageException.class, e -> assertThat(e.line()).endsWith("too many symbolic links"));
    }

    @Test
    void directoryOfTheSystemIsNoWorkingDirectory() {
        assertRefused(
                Path.of("/usr/bin"),
                "true",
                LIMIT,
                "the working directory /usr/bin is one of the VMs' own; choose one for the job with --ckpt-workdir");
        assertThat(PackedPaths.isSystem(Path.of("/usr/local/share/run"))).isFalse();
    }

    @Test
    void filesThatOptionsNameComeAlongIfTheyAreThere() throws Exception {
        Path ranks = Files.writeString(outer.resolve("ranks"), "rank 0=vm0 slot=0\n");
        JobFiles files = JobFiles.of(work, programs("./solver"), List.of(ranks, outer.resolve("absent")), LIMIT);
        assertThat(names(archive(files))).contains(rooted(ranks)).noneMatch(name -> name.endsWith("absent"));
    }

    private Path unpack(JobFiles files) throws Exception {
        Path unpacked = Files.createDirectory(temporary.resolve("unpacked"));
        tar(archive(files), "--extract", "--directory=" + unpacked);
        return unpacked;
    }

    @Test
    void missingProgramIsRefused() {
        assertRefused(work, "./absent", LIMIT, "./absent: no such program");
    }

    @Test
    void programThatCannotBeExecutedIsRefused() {
        assertRefused(work, "./input.txt", LIMIT, "./input.txt: no permission to execute it");
    }

    @Test
    void workingDirectoryThatIsNotThereOrIsTheRootIsRefused() {
        Path absent = work.resolve("absent");
        assertRefused(absent, "x", LIMIT, "working directory " + absent + " does not exist");
        assertRefused(
                Path.of("/"), "x", LIMIT, "the working directory is /; choose one for the job with --ckpt-workdir");
    }

    @Test
    void moreThanTheDiskTakesIsRefusedBeforeAnythingIsSent() throws Exception {
        Files.write(work.resolve("big"), new byte[700_000]);
        assertThat(archive(files("./solver"))).hasSizeGreaterThan(700_000);
        Files.write(work.resolve("sub/big"), new byte[700_000]);
        assertRefused(
                work,
                "./solver",
                LIMIT,
                work + " holds more than 1.0 MiB, which the job's disk can take: choose another --ckpt-workdir or a"
                        + " larger --ckpt-disk");
    }

    @Test
    void programElsewhereCountsToo() throws Exception {
        Files.write(work.resolve("big"), new byte[700_000]);
        Path program = executable(outer.resolve("tool"));
        Files.write(program, new byte[700_000]);
        assertThatThrownBy(() -> files(program.toString())).isInstanceOf(UsageException.class);
    }

    @Test
    void largeDirectoryIsGivenInBoundedPieces() throws Exception {
        Files.write(work.resolve("big"), new byte[3_000_000]);
        JobFiles.of(work, programs("./solver"), List.of(), 1 << 24)
                .archive(piece -> assertThat(piece.length).isBetween(1, 1 << 20));
    }

    @Test
    void fileThatVanishesMeanwhileIsAFailureAndNoShorterArchive() throws Exception {
        JobFiles files = files("./solver");
        try (var found = Files.walk(work)) {
            for (Path path : found.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
        assertThatThrownBy(() -> archive(files))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("packing the working directory failed: tar: ")
                .message()
                .doesNotContain("\n");
    }

    private static void assertRefused(Path directory, String program, long limitBytes, String line) {
        assertThatThrownBy(() -> JobFiles.of(
                        directory, List.of(new MpirunArguments.Program(program, directory)), List.of(), limitBytes))
                .isInstanceOfSatisfying(
                        UsageException.class, e -> assertThat(e.line()).isEqualTo(line));
    }
}
