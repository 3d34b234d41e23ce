package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What comes out of guests, good and hostile, in a user's directory. */
class FilesUnpackerTest {
    private static final Instant MODIFIED = Instant.ofEpochSecond(0, FileStream.MODIFIED_NANOS);

    @TempDir
    private Path home;

    private Path job;
    private Path outside;

    @BeforeEach
    void make() throws IOException {
        job = Files.createDirectory(home.resolve("job"));
        outside = Files.writeString(home.resolve("outside"), "mine");
    }

    private FilesUnpacker.Outcome unpack(byte[] stream) throws IOException {
        return new FilesUnpacker(job, List.of(), Optional.empty()).unpack(FileStream.reader(stream));
    }

    private List<String> everything() throws IOException {
        try (var all = Files.walk(home)) {
            return all.map(path -> home.relativize(path).toString())
                    .filter(path -> !path.isEmpty())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void filesDirectoriesAndLinksComeAsTheyAre() throws IOException {
        Files.writeString(job.resolve("a"), "old, and longer");
        FilesUnpacker.Outcome outcome = unpack(new FileStream(true)
                .file("a", "new")
                .directory("d", 0750)
                .file("d/e/f", "ä\n")
                .link("link", "d/e/f")
                .link("absolute", job.resolve("a").toString())
                .file("empty", "")
                .end());
        assertThat(outcome).isEqualTo(new FilesUnpacker.Outcome(5, List.of()));
        assertThat(job.resolve("a")).hasContent("new");
        assertThat(Files.getLastModifiedTime(job.resolve("a")).toInstant()).isEqualTo(MODIFIED);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(job.resolve("a"))))
                .isEqualTo("rw-r-----");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(job.resolve("d"))))
                .isEqualTo("rwxr-x---");
        assertThat(job.resolve("link")).isSymbolicLink().hasContent("ä\n");
        assertThat(job.resolve("absolute")).isSymbolicLink().hasContent("new");
        assertThat(job.resolve("empty")).isEmptyFile();
    }

    @Test
    void holesStayHoles() throws IOException {
        byte[] word = "word".getBytes(StandardCharsets.UTF_8);
        unpack(new FileStream(true)
                .entry('f', 0644, 1L << 40, "sparse", "")
                .piece(5, word)
                .piece(1L << 30, word)
                .u32(0)
                .end());
        Path sparse = job.resolve("sparse");
        assertThat(Files.size(sparse)).isEqualTo(1L << 40);
        try (var channel = Files.newByteChannel(sparse)) {
            var buffer = java.nio.ByteBuffer.allocate(10);
            assertThat(channel.read(buffer)).isEqualTo(10);
            assertThat(buffer.array()).startsWith(0, 0, 0, 0, 0, 'w', 'o', 'r', 'd', 0);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../outside",
                "/tmp/stillcut-hostile",
                "d/../../outside",
                "..",
                ".",
                "",
                "a//b",
                "./a",
                "a/",
                "nul\0byte",
                ".stillcut-x",
                "d/./e"
            })
    void pathsThatLeadOutAreLeftOut(String path) throws IOException {
        FilesUnpacker.Outcome outcome = unpack(new FileStream(true)
                .file(path, "hostile")
                .directory(path, 0777)
                .link(path, "x")
                .removed(path)
                .file("good", "good")
                .end());
        assertThat(outcome.files()).isEqualTo(1);
        assertThat(outcome.refused()).hasSize(4);
        assertThat(everything()).containsExactly("job", "job/good", "outside");
        assertThat(outside).hasContent("mine");
    }

    @Test
    void nothingGoesThroughLinks() throws IOException {
        Files.createSymbolicLink(job.resolve("users"), home);
        Files.createSymbolicLink(job.resolve("target"), outside);
        FilesUnpacker.Outcome outcome = unpack(new FileStream(true)
                .file("users/outside", "hostile")
                .removed("users/outside")
                .directory("users/new", 0755)
                .link("inside", "good")
                .link("up", "..")
                .link("upAndDown", "good/../../job/good")
                .link("root", "/")
                .link("sibling", job + "x")
                .directory("good", 0755)
                .file("inside/file", "through")
                .file("target", "replaces the link")
                .end());
        assertThat(outcome.refused())
                .containsExactly(
                        "users/outside is below users, which is no directory here",
                        "users/outside is below users, which is no directory here",
                        "users/new is below users, which is no directory here",
                        "up leads out of the job's directory",
                        "root leads out of the job's directory",
                        "sibling leads out of the job's directory",
                        "inside/file is below inside, which is no directory here");
        assertThat(outside).hasContent("mine");
        assertThat(job.resolve("target")).isRegularFile().hasContent("replaces the link");
        assertThat(Files.isSymbolicLink(job.resolve("target"))).isFalse();
        assertThat(job.resolve("good")).isEmptyDirectory();
    }

    @Test
    void whatIsInTheWayStays() throws IOException {
        Files.createDirectory(job.resolve("d"));
        Files.writeString(job.resolve("f"), "mine");
        FilesUnpacker.Outcome outcome = unpack(new FileStream(true)
                .file("d", "file")
                .link("d", "f")
                .directory("f", 0755)
                .file("f/below", "x")
                .entry('o', 0644, 0, "pipe", "")
                .end());
        assertThat(outcome.refused()).hasSize(5);
        assertThat(job.resolve("d")).isEmptyDirectory();
        assertThat(job.resolve("f")).hasContent("mine");
        assertThat(everything()).containsExactly("job", "job/d", "job/f", "outside");
    }

    @Test
    void removedFilesGoUnlessTheyAreTheUsersMeanwhile() throws IOException {
        Path old = Files.createDirectories(job.resolve("old/sub"));
        Files.writeString(old.resolve("file"), "sent");
        Files.writeString(job.resolve("touched"), "changed since");
        FileTime past = FileTime.from(Instant.parse("2001-01-01T00:00:00Z"));
        Files.setLastModifiedTime(old.resolve("file"), past);
        byte[] stream = new FileStream(true)
                .removed("old")
                .removed("old/sub")
                .removed("old/sub/file")
                .removed("touched")
                .removed("never/was")
                .end();
        unpack(stream);
        assertThat(old.resolve("file")).as("fetch removes nothing").exists();
        new FilesUnpacker(job, List.of(), Optional.of(Instant.parse("2020-01-01T00:00:00Z")))
                .unpack(FileStream.reader(stream));
        assertThat(job.resolve("old")).doesNotExist();
        assertThat(job.resolve("touched")).exists();
        assertThat(job.resolve("never")).doesNotExist();
    }

    @Test
    void onlyChosenPathsAreUnpacked() throws IOException {
        byte[] stream = new FileStream(true)
                .file("d/a", "a")
                .file("d.x", "x")
                .file("e", "e")
                .end();
        new FilesUnpacker(job, List.of("d", "e"), Optional.empty()).unpack(FileStream.reader(stream));
        assertThat(everything()).containsExactly("job", "job/d", "job/d/a", "job/e", "outside");
    }

    @Test
    void setUserIdDoesNotCome() throws IOException {
        unpack(new FileStream(true).entry('f', 06755, 0, "program", "").u32(0).end());
        int mode = (int) Files.getAttribute(job.resolve("program"), "unix:mode", LinkOption.NOFOLLOW_LINKS);
        assertThat(mode & 07777).isEqualTo(0755);
    }

    @Test
    void streamThatEndsEarlyLeavesNoHalfFile() throws IOException {
        byte[] whole =
                new FileStream(true).file("a", "first").file("b", "second").end();
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> unpack(cut)).isInstanceOf(IOException.class);
            for (String path : everything()) {
                assertThat(path).isIn("job", "outside", "job/a", "job/b");
            }
        }
        assertThat(job.resolve("b")).hasContent("second");
    }

    @Test
    void whatCannotBeMeantIsAnError() {
        List<byte[]> hostile = List.of(
                "no such stream".getBytes(StandardCharsets.UTF_8),
                new FileStream(true).entry('z', 0, 0, "a", "").end(),
                new FileStream(true).entry('f', 0, -1, "a", "").end(),
                new FileStream(true).entry('f', 0, Long.MAX_VALUE, "a", "").end(),
                new FileStream(true)
                        .entry('f', 0, 4, "a", "")
                        .piece(3, new byte[2])
                        .u32(0)
                        .end(),
                new FileStream(true)
                        .entry('f', 0, 4, "a", "")
                        .piece(-1, new byte[2])
                        .u32(0)
                        .end(),
                new FileStream(true)
                        .entry('f', 0, 9, "a", "")
                        .piece(4, new byte[2])
                        .piece(5, new byte[2])
                        .u32(0)
                        .end(),
                new FileStream(true)
                        .entry('f', 0, 1L << 32, "a", "")
                        .piece(0, new byte[65_537])
                        .u32(0)
                        .end(),
                new FileStream(true).entry('f', 0, 4, "a", "").u32(-1).end(),
                new FileStream(true).raw('f').u32(0).u64(0).u64(0).u32(1 << 30).end(),
                new FileStream(true).raw('e').u64(5).end(),
                new FileStream(true).raw('e').u64(0).end());
        for (byte[] stream : hostile) {
            assertThatThrownBy(() -> unpack(stream))
                    .as("stream %d", hostile.indexOf(stream))
                    .isInstanceOf(IOException.class);
        }
        assertThat(job).isEmptyDirectory();
    }

    @Test
    void noiseNeitherEscapesNorHangs() throws IOException {
        long seed = RandomGenerator.getDefault().nextLong();
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        byte[] whole = new FileStream(true)
                .directory("d", 0755)
                .file("d/a", "first")
                .link("l", "d/a")
                .removed("gone")
                .file("b", "second")
                .end();
        for (int round = 0; round < 2000; round++) {
            byte[] noisy = whole.clone();
            for (int flips = random.nextInt(1, 6); flips > 0; flips--) {
                noisy[random.nextInt(noisy.length)] = (byte) random.nextInt();
            }
            try {
                unpack(noisy);
            } catch (IOException e) {
                assertThat(e.getMessage()).as("seed %d, round %d", seed, round).isNotBlank();
            }
            assertThat(outside).as("seed %d, round %d", seed, round).hasContent("mine");
            try (var beside = Files.list(home)) {
                assertThat(beside).as("seed %d, round %d", seed, round).hasSize(2);
            }
        }
    }

    /** The program that runs in the VMs, run here: that the two speak the same language. */
    @Test
    void realGuestsProgramIsUnderstood() throws Exception {
        Path program = Path.of("..", "build", "guest", "stillcut-files").toRealPath();
        Path there = Files.createDirectory(home.resolve("there"));
        Files.writeString(there.resolve("same"), "same");
        Files.writeString(there.resolve("gone"), "gone");
        Path baseline = home.resolve("baseline");
        run(new ProcessBuilder(program.toString(), "baseline", there.toString(), baseline.toString()));
        Files.delete(there.resolve("gone"));
        Files.createDirectories(there.resolve("d/ä"));
        byte[] large = new byte[300_000];
        Arrays.fill(large, (byte) 7);
        Files.write(there.resolve("d/ä/large"), large);
        Files.createSymbolicLink(there.resolve("l"), Path.of("d/ä/large"));
        Path stream = home.resolve("stream");
        run(new ProcessBuilder(program.toString(), "send", there.toString(), baseline.toString())
                .redirectOutput(stream.toFile()));
        assertThat(unpack(Files.readAllBytes(stream))).isEqualTo(new FilesUnpacker.Outcome(2, List.of()));
        assertThat(job.resolve("l")).hasBinaryContent(large);
        assertThat(job.resolve("same")).doesNotExist();
    }

    private static void run(ProcessBuilder command) throws Exception {
        assertThat(command.redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start()
                        .waitFor())
                .isZero();
    }
}
