package org.stillcut.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class GuestChannelTest {

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration SHORT = Duration.ofMillis(50);

    private final HeardWords heard = new HeardWords();
    private FakeGuest guest;
    private GuestChannel channel;

    /** Work of the host, beside the test that plays the guest. */
    private record Asking(Thread thread, FutureTask<Void> task) {
        void succeeds() throws Exception {
            task.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        }

        GuestException fails() throws Exception {
            try {
                succeeds();
            } catch (ExecutionException e) {
                if (e.getCause() instanceof GuestException failure) {
                    return failure;
                }
                throw e;
            }
            throw new AssertionError("it succeeded");
        }
    }

    /** A request that gives nothing back. */
    private interface Request {
        void ask() throws Exception;
    }

    @BeforeEach
    void connect(@TempDir Path directory) throws Exception {
        Path socket = directory.resolve("ctl.sock");
        guest = FakeGuest.at(socket);
        channel = GuestChannel.connect("vm0", socket, heard);
    }

    @AfterEach
    void disconnect() throws Exception {
        channel.close();
        guest.close();
    }

    private Asking ask(Request request) {
        Callable<Void> work = () -> {
            request.ask();
            return null;
        };
        FutureTask<Void> task = new FutureTask<>(work);
        return new Asking(Thread.ofVirtual().start(task), task);
    }

    private void greeted() throws Exception {
        Asking hello = ask(() -> channel.hello(PATIENCE));
        guest.greet(GuestMessages.VERSION);
        hello.succeeds();
    }

    @Test
    void helloSaysTheVersionAndRequestsCountFromOne() throws Exception {
        Asking hello = ask(() -> channel.hello(PATIENCE));
        GuestFrame request = guest.expect(GuestMessages.HELLO);
        assertThat(request.sequence()).isEqualTo(1);
        assertThat(request.payload()).isEqualTo(GuestMessages.u32(GuestMessages.VERSION));
        guest.say(GuestMessages.HELLO_OK, 1, GuestMessages.u32(GuestMessages.VERSION));
        hello.succeeds();
    }

    @Test
    void guestOfAnotherVersionIsRefused() throws Exception {
        Asking hello = ask(() -> channel.hello(PATIENCE));
        guest.greet(GuestMessages.VERSION + 1);
        assertThat(hello.fails()).hasMessageContaining("speaks version " + (GuestMessages.VERSION + 1));
    }

    @Test
    void guestThatRefusesOurVersionIsHeard() throws Exception {
        Asking hello = ask(() -> channel.hello(PATIENCE));
        guest.error(guest.expect(GuestMessages.HELLO), 93, "host speaks version 1, this guest 2");
        assertThat(hello.fails()).hasMessage("vm0: host speaks version 1, this guest 2 (errno 93)");
    }

    @Test
    void nothingIsHeardBeforeTheAnswerToHello() throws Exception {
        Asking hello = ask(() -> channel.hello(PATIENCE));
        GuestFrame request = guest.expect(GuestMessages.HELLO);
        guest.output(1, 0, "for another host");
        guest.exited(3, 0);
        guest.say(GuestMessages.OK, request.sequence(), GuestMessages.u64(1));
        guest.say(GuestMessages.HELLO_OK, request.sequence() + 7, GuestMessages.u32(GuestMessages.VERSION));
        guest.say(GuestMessages.HELLO_OK, request.sequence(), GuestMessages.u32(GuestMessages.VERSION));
        hello.succeeds();
        guest.output(1, 4, "for us");
        assertThat(heard.next()).isEqualTo("1@4:for us");
    }

    @Test
    void requestsCarryWhatTheFormatSays() throws Exception {
        greeted();
        Asking start = ask(() -> channel.start("/w", List.of("mpirun"), List.of("A=b")));
        GuestFrame started = guest.expect(GuestMessages.START);
        assertThat(started.payload()).isEqualTo(GuestMessages.start("/w", List.of("mpirun"), List.of("A=b")));
        guest.ok(started);
        start.succeeds();

        Asking signal = ask(() -> channel.signal(15));
        GuestFrame signalled = guest.expect(GuestMessages.SIGNAL);
        assertThat(signalled.payload()).isEqualTo(GuestMessages.u32(15));
        guest.ok(signalled);
        signal.succeeds();

        channel.acknowledgeOutput(2, 77);
        GuestFrame acknowledged = guest.expect(GuestMessages.OUTPUT_ACK);
        assertThat(acknowledged.sequence()).isZero();
        assertThat(acknowledged.payload()).isEqualTo(GuestMessages.outputAck(2, 77));
    }

    @Test
    void programsThatTakePartAreToldAndHeard() throws Exception {
        BlockingQueue<Long> wishes = new ArrayBlockingQueue<>(10);
        channel.participants().onCheckpointWanted(wishes::add);
        greeted();
        guest.say(ParticipantMessages.CHECKPOINT_WANTED, 0, new byte[8]);
        guest.say(ParticipantMessages.CHECKPOINT_WANTED, 0, new byte[7]);
        guest.say(ParticipantMessages.CHECKPOINT_WANTED, 0, GuestMessages.u64(5));
        assertThat(wishes.poll(10, TimeUnit.SECONDS)).isEqualTo(5);

        Asking before = ask(() -> channel.participants().hooksBefore(Duration.ofSeconds(5), Duration.ofMinutes(2)));
        GuestFrame called = guest.expect(ParticipantMessages.HOOKS_BEFORE);
        assertThat(called.payload())
                .isEqualTo(ParticipantMessages.hooksBefore(Duration.ofSeconds(5), Duration.ofMinutes(2)));
        guest.error(called, 110, "rank 3 (pid 214) forbids checkpoints for 900 ms more");
        assertThat(before.fails()).hasMessage("vm0: rank 3 (pid 214) forbids checkpoints for 900 ms more (errno 110)");

        Asking resumed = ask(() -> channel.participants().hooksAfterResume());
        GuestFrame afterResume = guest.expect(ParticipantMessages.HOOKS_AFTER);
        assertThat(afterResume.payload()).isEqualTo(ParticipantMessages.hooksAfter(1, ""));
        guest.ok(afterResume);
        resumed.succeeds();

        Asking restarted = ask(() -> channel.participants().hooksAfterRestart("heat@3"));
        GuestFrame afterRestart = guest.expect(ParticipantMessages.HOOKS_AFTER);
        assertThat(afterRestart.payload()).isEqualTo(ParticipantMessages.hooksAfter(2, "heat@3"));
        guest.ok(afterRestart);
        restarted.succeeds();

        Asking result = ask(() -> channel.participants().checkpointResult(5, CheckpointOutcome.COMMITTED, "heat@4"));
        GuestFrame told = guest.expect(ParticipantMessages.CHECKPOINT_RESULT);
        assertThat(told.payload())
                .isEqualTo(ParticipantMessages.checkpointResult(5, CheckpointOutcome.COMMITTED, "heat@4"));
        guest.ok(told);
        result.succeeds();
    }

    @Test
    void refusalOfGuestCarriesItsWordsAndErrno() throws Exception {
        greeted();
        Asking other = ask(() -> channel.signal(10));
        guest.error(guest.expect(GuestMessages.SIGNAL), 3, "no job runs");
        assertThat(other.fails()).hasMessage("vm0: no job runs (errno 3)");
    }

    @Test
    void wordsOfGuestCannotForgeLinesAndHaveBoundedLength() throws Exception {
        greeted();
        Asking signal = ask(() -> channel.signal(9));
        guest.error(guest.expect(GuestMessages.SIGNAL), 1, "no\n10:00 ERROR forged\u001b[31m" + "x".repeat(100_000));
        assertThat(signal.fails().getMessage())
                .startsWith("vm0: no 10:00 ERROR forged [31mxxx")
                .hasSizeLessThan(600)
                .doesNotContain("\n", "\u001b");
    }

    @Test
    void answersOfWrongTypeOrShapeFailTheRequest() throws Exception {
        greeted();
        Asking other = ask(() -> channel.signal(10));
        guest.say(77, guest.expect(GuestMessages.SIGNAL).sequence(), new byte[0]);
        assertThat(other.fails()).hasMessageContaining("unexpected answer 77");
        for (String payload : List.of("", "0100", "01000000", "01000000ffffffff", "0100000009000000aa")) {
            Asking signal = ask(() -> channel.signal(9));
            guest.say(
                    GuestMessages.ERROR,
                    guest.expect(GuestMessages.SIGNAL).sequence(),
                    HexFormat.of().parseHex(payload));
            assertThat(signal.fails()).hasMessageContaining("malformed message of type 129");
        }
    }

    @Test
    void silentGuestIsGivenUpAndItsLateAnswerGoesToNobody() throws Exception {
        greeted();
        Asking hello = ask(() -> channel.hello(SHORT));
        GuestFrame late = guest.expect(GuestMessages.HELLO);
        assertThat(hello.fails()).hasMessageContaining("did not answer within 50 ms");
        guest.say(GuestMessages.HELLO_OK, late.sequence(), GuestMessages.u32(9));

        Asking next = ask(() -> channel.hello(PATIENCE));
        GuestFrame request = guest.expect(GuestMessages.HELLO);
        assertThat(request.sequence()).isNotEqualTo(late.sequence());
        guest.say(GuestMessages.HELLO_OK, request.sequence(), GuestMessages.u32(GuestMessages.VERSION));
        next.succeeds();
    }

    @Test
    void answersFindTheirRequestsInAnyOrder() throws Exception {
        greeted();
        Asking other = ask(() -> channel.signal(10));
        GuestFrame first = guest.expect(GuestMessages.SIGNAL);
        Asking signal = ask(() -> channel.signal(1));
        GuestFrame second = guest.expect(GuestMessages.SIGNAL);
        guest.error(second, 3, "no job runs");
        guest.ok(first);
        other.succeeds();
        assertThat(signal.fails()).hasMessageContaining("no job runs");
    }

    @Test
    void outputAndEndOfTheJobAreHeardInOrder() throws Exception {
        greeted();
        guest.output(1, 0, "one\n");
        guest.output(2, 0, "oops\n");
        guest.output(1, 4, "");
        guest.exited(256 + 7, 0);
        guest.exited(0, 9);
        assertThat(heard.next()).isEqualTo("1@0:one\n");
        assertThat(heard.next()).isEqualTo("2@0:oops\n");
        assertThat(heard.next()).isEqualTo("1@4:");
        assertThat(heard.next()).isEqualTo("exited 7");
        assertThat(heard.next()).isEqualTo("exited 137");
    }

    @Test
    void malformedWordsAreIgnoredAndTheChannelGoesOn() throws Exception {
        greeted();
        guest.say(GuestMessages.OUTPUT, 0, new byte[0]);
        guest.say(GuestMessages.OUTPUT, 0, new byte[8]);
        guest.output(3, 0, "no such stream");
        guest.output(0, 0, "no such stream");
        guest.output(1, -1, "before the start");
        guest.say(GuestMessages.EXITED, 0, new byte[7]);
        guest.say(4711, 0, new byte[3]);
        guest.write(ByteBuffer.wrap(new byte[100]));
        guest.output(1, 0, "well");
        assertThat(heard.next()).isEqualTo("1@0:well");
    }

    @Test
    void guestThatGoesInTheMiddleFailsWhoWaitsAndWhoAsksLater() throws Exception {
        greeted();
        Asking other = ask(() -> channel.signal(10));
        guest.expect(GuestMessages.SIGNAL);
        guest.write(ByteBuffer.wrap(new byte[] {0x53, 0x43, 0x47}));
        guest.hangUp();
        assertThat(other.fails()).hasMessageContaining("the guest channel is broken");
        // Well within the ten seconds that an answer may take: nobody is left to answer.
        long began = System.nanoTime();
        assertThatThrownBy(() -> channel.signal(9))
                .isInstanceOf(GuestException.class)
                .hasMessageContaining("broken");
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
    }

    @Test
    void closingFailsWhoWaits() throws Exception {
        greeted();
        Asking other = ask(() -> channel.signal(10));
        guest.expect(GuestMessages.SIGNAL);
        channel.close();
        assertThat(other.fails()).hasMessageContaining("broken");
        channel.close();
    }

    @Test
    void interruptedCallerEndsAtOnceAndHarmsNobodyElse() throws Exception {
        greeted();
        Asking other = ask(() -> channel.signal(10));
        guest.expect(GuestMessages.SIGNAL);
        other.thread().interrupt();
        assertThat(other.fails()).hasMessageContaining("interrupted");
        Asking signal = ask(() -> channel.signal(9));
        guest.ok(guest.expect(GuestMessages.SIGNAL));
        signal.succeeds();
    }

    @Test
    void jobTooLongForOneFrameIsRefusedWithItsSize() throws Exception {
        greeted();
        assertThatThrownBy(() -> channel.start("/w", List.of("x".repeat(300_000)), List.of()))
                .isInstanceOf(GuestException.class)
                .hasMessageContaining("300");
        assertThat(heard.isSilentFor(SHORT)).isTrue();
    }

    @Test
    void guestThatDoesNotReadDoesNotBlockAcknowledgements() throws Exception {
        greeted();
        for (int i = 0; i < 100_000; i++) {
            channel.acknowledgeOutput(1, i);
        }
    }

    @Test
    void nobodyThereIsSaidAtOnce(@TempDir Path directory) {
        assertThatThrownBy(() -> GuestChannel.connect("vm9", directory.resolve("none"), heard))
                .isInstanceOf(GuestException.class)
                .hasMessageContaining("vm9");
    }
}
