package org.stillcut.api;

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
class StillcutTest {

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @TempDir
    private Path directory;

    private Path path;
    private FakeDaemon daemon;
    private Stillcut stillcut;

    /** Work of the program, beside the test that plays the daemon. */
    private record Asking<T>(FutureTask<T> task) {
        T gives() throws Exception {
            return task.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        }

        StillcutException fails() throws Exception {
            try {
                throw new AssertionError("it gave " + gives());
            } catch (ExecutionException e) {
                if (e.getCause() instanceof StillcutException failure) {
                    return failure;
                }
                throw e;
            }
        }
    }

    private static <T> Asking<T> ask(Callable<T> request) {
        FutureTask<T> task = new FutureTask<>(request);
        Thread thread = new Thread(task, "asking");
        thread.setDaemon(true);
        thread.start();
        return new Asking<>(task);
    }

    /** Writes down which hooks are called, and does what the test says. */
    private static final class Recorder implements CheckpointHooks {
        private final BlockingQueue<String> calls = new ArrayBlockingQueue<>(100);
        private Callable<Void> work = () -> null;

        @Override
        public void before() throws Exception {
            calls.add("before");
            work.call();
        }

        @Override
        public void after(Continuation continuation) {
            calls.add("after " + continuation);
            if (continuation == Continuation.RESTARTED) {
                throw new IllegalStateException("a hook that fails");
            }
        }

        String next() throws InterruptedException {
            return String.valueOf(calls.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        }
    }

    @BeforeEach
    void connect() throws Exception {
        path = directory.resolve("api.sock");
        daemon = FakeDaemon.at(path);
        Asking<Stillcut> connecting = ask(() -> Stillcut.connect(path, "rank 3"));
        Message hello = daemon.expect(Message.HELLO);
        assertThat(HexFormat.of().formatHex(hello.encode().array()))
                .isEqualTo("01000e0001000000" + "01000000" + "06000000" + "72616e6b2033");
        daemon.say(Message.WELCOME, hello.tag(), (byte) 1, (byte) 0, (byte) 0, (byte) 0);
        stillcut = connecting.gives();
    }

    @AfterEach
    void disconnect() throws Exception {
        stillcut.close();
        daemon.close();
    }

    private void setHooks(CheckpointHooks hooks) throws Exception {
        Asking<Void> setting = ask(() -> {
            stillcut.setHooks(hooks);
            return null;
        });
        Message request = daemon.expect(Message.HOOKS);
        assertThat(request.<Byte>parse(ByteBuffer::get)).isEqualTo((byte) 1);
        daemon.done(request);
        setting.gives();
    }

    @Test
    void withoutTheVariableThereIsNoStillcut() throws Exception {
        assertThat(System.getenv(Stillcut.VARIABLE)).isNull();
        assertThat(Stillcut.open()).isEmpty();
    }

    @Test
    void checkpointEndsInOneOfThreeWays() throws Exception {
        record End(int outcome, int continuation, String text, CheckpointResult expected) {}
        for (End end : List.of(
                new End(1, 1, "heat@4", new CheckpointResult.Committed("heat@4", Continuation.RESUMED)),
                new End(1, 2, "", new CheckpointResult.Committed("", Continuation.RESTARTED)),
                new End(2, 0, "the store is full", new CheckpointResult.Failed("the store is full")),
                new End(3, 0, "none here", new CheckpointResult.Unavailable("none here")))) {
            Asking<CheckpointResult> asking = ask(() -> stillcut.checkpoint(PATIENCE));
            daemon.result(daemon.expect(Message.CHECKPOINT), end.outcome(), end.continuation(), end.text());
            assertThat(asking.gives()).isEqualTo(end.expected());
        }
    }

    @Test
    void lateAnswerIsNotTakenForTheNext() throws Exception {
        assertThatThrownBy(() -> stillcut.checkpoint(Duration.ofMillis(20)))
                .isInstanceOf(StillcutException.class)
                .hasMessage("no answer within PT0.02S");
        Message late = daemon.expect(Message.CHECKPOINT);
        Asking<CheckpointResult> asking = ask(() -> stillcut.checkpoint(PATIENCE));
        Message request = daemon.expect(Message.CHECKPOINT);
        daemon.result(late, 2, 0, "late");
        daemon.result(request, 1, 1, "in time");
        assertThat(asking.gives()).isEqualTo(new CheckpointResult.Committed("in time", Continuation.RESUMED));
    }

    @Test
    void hooksAreCalledAndTheirRoundIsAnswered() throws Exception {
        Recorder recorder = new Recorder();
        setHooks(recorder);
        daemon.before(1L << 40);
        assertThat(daemon.beforeDone()).isEqualTo((1L << 40) + ":");
        daemon.after(1L << 40, 1);
        daemon.before(7);
        assertThat(daemon.beforeDone()).isEqualTo("7:");
        assertThat(List.of(recorder.next(), recorder.next(), recorder.next()))
                .containsExactly("before", "after RESUMED", "before");
        Asking<Void> removing = ask(() -> {
            stillcut.removeHooks();
            return null;
        });
        Message request = daemon.expect(Message.HOOKS);
        assertThat(request.<Byte>parse(ByteBuffer::get)).isEqualTo((byte) 0);
        daemon.done(request);
        removing.gives();
        daemon.before(8);
        assertThat(daemon.beforeDone()).isEqualTo("8:");
        assertThat(recorder.calls).isEmpty();
    }

    @Test
    void hookThatThrowsRefusesWithItsMessage() throws Exception {
        Recorder recorder = new Recorder();
        setHooks(recorder);
        for (String message : List.of("not now", "ü".repeat(1000), "a\0b")) {
            recorder.work = () -> {
                throw new IllegalStateException(message);
            };
            daemon.before(1);
            assertThat(daemon.beforeDone())
                    .startsWith("1:" + message.substring(0, 1))
                    .doesNotContain("\0");
        }
        recorder.work = () -> {
            throw new IllegalStateException();
        };
        daemon.before(2);
        assertThat(daemon.beforeDone()).isEqualTo("2:java.lang.IllegalStateException");
    }

    @Test
    void hookThatFailsAfterwardsDoesNotEndTheConnection() throws Exception {
        Recorder recorder = new Recorder();
        setHooks(recorder);
        daemon.after(1, 2);
        daemon.before(2);
        assertThat(daemon.beforeDone()).isEqualTo("2:");
        assertThat(recorder.next()).isEqualTo("after RESTARTED");
    }

    @Test
    void callInsideHookIsProgrammersErrorAndNotDeadlock() throws Exception {
        Recorder recorder = new Recorder();
        setHooks(recorder);
        recorder.work = () -> {
            stillcut.checkpoint(PATIENCE);
            return null;
        };
        daemon.before(1);
        assertThat(daemon.beforeDone()).startsWith("1:Stillcut is called inside one of its own hooks");
    }

    @Test
    void banIsInForceWhenGrantedAndEndsWhenClosed() throws Exception {
        Asking<Stillcut.Ban> forbidding = ask(() -> stillcut.forbid(Duration.ofSeconds(5)));
        Message request = daemon.expect(Message.FORBID);
        assertThat(request.<Integer>parse(ByteBuffer::getInt)).isEqualTo(5000);
        assertThat(forbidding.task().isDone()).isFalse();
        daemon.done(request);
        Stillcut.Ban ban = forbidding.gives();
        Asking<Void> closing = ask(() -> {
            ban.close();
            return null;
        });
        daemon.done(daemon.expect(Message.ALLOW));
        closing.gives();
        for (Duration wrong : List.of(Duration.ZERO, Duration.ofNanos(1), Stillcut.MAX_BAN.plusMillis(1))) {
            assertThatThrownBy(() -> stillcut.forbid(wrong)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void refusalAndLossOfTheDaemonFailWhoWaitsAndWhoAsksLater() throws Exception {
        Asking<CheckpointResult> asking = ask(() -> stillcut.checkpoint(PATIENCE));
        daemon.refuse(daemon.expect(Message.CHECKPOINT).tag(), 74, "malformed or unknown message");
        assertThat(asking.fails()).hasMessage("malformed or unknown message (errno 74)");
        assertThatThrownBy(() -> stillcut.forbid(Duration.ofSeconds(1)))
                .isInstanceOf(StillcutException.class)
                .hasMessage("malformed or unknown message (errno 74)");
    }

    @Test
    void daemonThatGoesFailsWhoWaits() throws Exception {
        Asking<CheckpointResult> asking = ask(() -> stillcut.checkpoint(PATIENCE));
        daemon.expect(Message.CHECKPOINT);
        daemon.hangUp();
        assertThat(asking.fails()).hasMessageContaining("has closed the connection");
    }

    @Test
    void closedConnectionIsSeenByTheDaemonAndMayBeClosedAgain() throws Exception {
        Asking<CheckpointResult> asking = ask(() -> stillcut.checkpoint(PATIENCE));
        daemon.expect(Message.CHECKPOINT);
        stillcut.close();
        stillcut.close();
        daemon.expectEnd();
        assertThat(asking.fails()).hasMessage("closed");
    }

    @Test
    void malformedWordsOfTheDaemonEndTheConnection() throws Exception {
        for (String bytes : List.of(
                "6600f90100000000", // a length over the limit
                "6e000b000000000000000000000000000000ff", // BEFORE, one byte short
                "6f000d0000000000000000000000000003" + "00000000", // AFTER, in no known way
                "6f000e0000000000000000000000000001" + "0200000078", // AFTER, with a string too long for it
                "6800040000000000ffffffff")) { // REFUSED without its text
            Path other = directory.resolve("other-" + bytes.hashCode());
            try (FakeDaemon malformed = FakeDaemon.at(other)) {
                Asking<Stillcut> connecting = ask(() -> Stillcut.connect(other, ""));
                malformed.welcome();
                try (Stillcut broken = connecting.gives()) {
                    Asking<CheckpointResult> asking = ask(() -> broken.checkpoint(PATIENCE));
                    malformed.expect(Message.CHECKPOINT);
                    malformed.write(ByteBuffer.wrap(HexFormat.of().parseHex(bytes)));
                    assertThat(asking.fails()).as(bytes).hasMessageContaining("malformed message");
                }
            }
        }
    }

    @Test
    void socketWithNobodyBehindItIsNamed() {
        Path nowhere = directory.resolve("nowhere");
        assertThatThrownBy(() -> Stillcut.connect(nowhere, ""))
                .isInstanceOf(StillcutException.class)
                .hasMessageContaining(nowhere.toString());
    }
}
