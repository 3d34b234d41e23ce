package org.stillcut.coordinator.output;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobOutputTest {
    private static final OutputStreamName STDOUT = OutputStreamName.STDOUT;
    private static final OutputStreamName STDERR = OutputStreamName.STDERR;

    @TempDir
    private Path directory;

    private final AtomicInteger changes = new AtomicInteger();

    private JobOutput open() throws IOException {
        return JobOutput.open(directory, changes::incrementAndGet);
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String all(JobOutput output, OutputStreamName stream) throws IOException {
        return StandardCharsets.UTF_8.decode(output.read(stream, 0, 1 << 20)).toString();
    }

    @Test
    void recordsWhatIsPrintedInOrder() throws IOException {
        try (JobOutput output = open()) {
            assertThat(output.append(STDOUT, 0, bytes("step 1\n"))).isEqualTo(7);
            assertThat(output.append(STDOUT, 7, bytes("step 2\n"))).isEqualTo(14);
            assertThat(all(output, STDOUT)).isEqualTo("step 1\nstep 2\n");
            assertThat(changes).hasValue(2);
        }
    }

    @Test
    void recordThatBeginsLaterBeginsWithTheFirstPiece() throws IOException {
        JobOutput.beginLater(directory);
        try (JobOutput output = open()) {
            assertThat(output.append(STDOUT, 1000, bytes("abc"))).isEqualTo(1003);
            assertThat(output.append(STDOUT, 1001, bytes("bcd"))).isEqualTo(1004);
            assertThat(output.append(STDOUT, 2000, bytes("x"))).isEqualTo(1004);
            assertThat(output.append(STDOUT, 0, bytes("what was"))).isEqualTo(1004);
        }
        try (JobOutput output = open()) {
            assertThat(output.firstOffset(STDOUT)).isEqualTo(1000);
            assertThat(StandardCharsets.UTF_8
                            .decode(output.read(STDOUT, 1000, 100))
                            .toString())
                    .isEqualTo("abcd");
            assertThat(output.append(STDOUT, 1004, bytes("e"))).isEqualTo(1005);
            assertThat(output.append(STDERR, 0, bytes("err"))).isEqualTo(3);
            assertThat(all(output, STDERR)).isEqualTo("err");
        }
        assertThat(directory.resolve("stdout")).hasContent("abcde");
    }

    @Test
    void keepsTheStreamsApart() throws IOException {
        try (JobOutput output = open()) {
            output.append(STDOUT, 0, bytes("out"));
            assertThat(output.append(STDERR, 0, bytes("err!"))).isEqualTo(4);
            assertThat(all(output, STDOUT)).isEqualTo("out");
            assertThat(all(output, STDERR)).isEqualTo("err!");
        }
    }

    @Test
    void repeatIsRecordedOnceAndAcknowledgedAgain() throws IOException {
        try (JobOutput output = open()) {
            output.append(STDOUT, 0, bytes("abcdef"));
            assertThat(output.append(STDOUT, 0, bytes("abcdef"))).isEqualTo(6);
            assertThat(output.append(STDOUT, 2, bytes("cd"))).isEqualTo(6);
            assertThat(output.append(STDOUT, 6, bytes(""))).isEqualTo(6);
            assertThat(all(output, STDOUT)).isEqualTo("abcdef");
            assertThat(changes).hasValue(1);
        }
    }

    @Test
    void onlyTheNewPartOfAnOverlapIsRecorded() throws IOException {
        try (JobOutput output = open()) {
            output.append(STDOUT, 0, bytes("abcd"));
            ByteBuffer piece = bytes("..cdefgh..");
            piece.position(2).limit(8);
            assertThat(output.append(STDOUT, 2, piece)).isEqualTo(8);
            assertThat(all(output, STDOUT)).isEqualTo("abcdefgh");
        }
    }

    @Test
    void pieceBeyondAGapWaitsForWhatLiesBetween() throws IOException {
        try (JobOutput output = open()) {
            output.append(STDOUT, 0, bytes("ab"));
            assertThat(output.append(STDOUT, 3, bytes("def"))).isEqualTo(2);
            assertThat(all(output, STDOUT)).isEqualTo("ab");
            assertThat(output.append(STDOUT, 2, bytes("cdef"))).isEqualTo(6);
            assertThat(all(output, STDOUT)).isEqualTo("abcdef");
        }
    }

    @Test
    void negativeOffsetIsRefused() throws IOException {
        try (JobOutput output = open()) {
            output.append(STDOUT, 0, bytes("ab"));
            assertThatIllegalArgumentException().isThrownBy(() -> output.append(STDOUT, -1, bytes("xabc")));
            assertThatIllegalArgumentException().isThrownBy(() -> output.append(STDOUT, Long.MIN_VALUE, bytes("xabc")));
            assertThat(output.append(STDOUT, Long.MAX_VALUE, bytes("x"))).isEqualTo(2);
            assertThat(all(output, STDOUT)).isEqualTo("ab");
        }
    }

    @Test
    void readsFromAnyOffsetUpToALimit() throws IOException {
        try (JobOutput output = open()) {
            output.append(STDOUT, 0, bytes("abcdef"));
            assertThat(output.read(STDOUT, 2, 3)).isEqualTo(bytes("cde"));
            assertThat(output.read(STDOUT, 6, 3).hasRemaining()).isFalse();
            assertThat(output.read(STDOUT, 1000, 3).hasRemaining()).isFalse();
        }
    }

    @Test
    void nextCoordinatorGoesOnWhereThisOneEnded() throws IOException {
        try (JobOutput output = open()) {
            output.append(STDOUT, 0, bytes("abc"));
        }
        try (JobOutput output = open()) {
            assertThat(output.append(STDOUT, 1, bytes("bcde"))).isEqualTo(5);
            assertThat(all(output, STDOUT)).isEqualTo("abcde");
        }
    }

    @Test
    void filesAreOfTheirOwnerOnly() throws IOException {
        open().close();
        for (String name : new String[] {"stdout", "stderr"}) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve(name))))
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void largeOutputSentInAnyOverlappingPiecesComesOutWhole() throws IOException {
        SplittableRandom random = new SplittableRandom(7);
        byte[] printed = new byte[8 << 20];
        random.nextBytes(printed);
        try (JobOutput output = open()) {
            long recorded = 0;
            while (recorded < printed.length) {
                // Like a guest that sends again from somewhere before what was acknowledged, and sometimes too far
                // ahead.
                int from = (int) Math.max(0, recorded - random.nextInt(100_000) + random.nextInt(2_000));
                int to = Math.min(printed.length, from + random.nextInt(300_000));
                if (from < to) {
                    recorded = output.append(STDOUT, from, ByteBuffer.wrap(printed, from, to - from));
                }
            }
            assertThat(output.read(STDOUT, 0, printed.length + 1)).isEqualTo(ByteBuffer.wrap(printed));
        }
    }
}
