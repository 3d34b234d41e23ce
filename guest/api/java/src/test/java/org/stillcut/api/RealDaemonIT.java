package org.stillcut.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The real daemon of the guests, run on this machine, with this test as its host: that the two programs speak the same language. */
@Timeout(60)
class RealDaemonIT {

    private static final Path DAEMON = Path.of("..", "..", "..", "build", "guest", "stillcut-guestd");
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** Of docs/guest-channel.md. */
    private static final int MAGIC = 0x31474353;

    private static final int HEADER_BYTES = 20;
    private static final int CHANNEL_VERSION = 2;
    private static final int HELLO = 1;
    private static final int RESTORED = 22;
    private static final int HOOKS_BEFORE = 24;
    private static final int HOOKS_AFTER = 25;
    private static final int CHECKPOINT_RESULT = 26;
    private static final int OK = 128;
    private static final int ERROR = 129;
    private static final int HELLO_OK = 130;
    private static final int CHECKPOINT_WANTED = 143;

    private Process daemon;
    private SocketChannel host;
    private Path path;
    private Stillcut stillcut;
    private int sequence;

    @BeforeEach
    void connect(@TempDir Path directory) throws Exception {
        assertThat(DAEMON).as("scripts/setup has been run").isExecutable();
        path = directory.resolve("api.sock");
        Path port = directory.resolve("ctl.sock");
        // With nofork socat becomes the daemon, whose descriptor 0 is one end of the connection, as QEMU would give it.
        String command = DAEMON.toRealPath() + " --plain --fd 0 --socket " + path + ",nofork";
        daemon = new ProcessBuilder("socat", "UNIX-LISTEN:" + port, "EXEC:" + command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("daemon.log").toFile())
                .start();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (host == null || !Files.exists(path)) {
            assertThat(System.nanoTime()).as("the daemon listens").isLessThan(deadline);
            try {
                host = host == null ? SocketChannel.open(UnixDomainSocketAddress.of(port)) : host;
            } catch (IOException e) {
                assertThat(daemon.isAlive()).as(e.toString()).isTrue();
            }
            Thread.sleep(5);
        }
        request(HELLO, payload(4).putInt(CHANNEL_VERSION));
        expect(HELLO_OK);
        stillcut = Stillcut.connect(path, "rank 3");
    }

    @AfterEach
    void end() throws Exception {
        if (stillcut != null) {
            stillcut.close();
        }
        if (daemon != null) {
            daemon.destroyForcibly().waitFor();
        }
        if (host != null) {
            host.close();
        }
    }

    private static ByteBuffer payload(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer payload(int size, String text) {
        return payload(size + 4 + text.length());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private void request(int type, ByteBuffer content) throws Exception {
        content.flip();
        ByteBuffer frame = payload(HEADER_BYTES + content.remaining());
        frame.putInt(MAGIC).putInt(type).putInt(++sequence).putInt(content.remaining());
        CRC32 crc = new CRC32();
        crc.update(frame.duplicate().flip());
        crc.update(content.duplicate());
        frame.putInt((int) crc.getValue()).put(content).flip();
        while (frame.hasRemaining()) {
            host.write(frame);
        }
    }

    /** The payload of the next frame, which must be of that type. */
    private ByteBuffer expect(int type) throws Exception {
        ByteBuffer header = filled(HEADER_BYTES);
        assertThat(header.getInt()).isEqualTo(MAGIC);
        assertThat(header.getInt()).isEqualTo(type);
        assertThat(header.getInt()).isEqualTo(type == CHECKPOINT_WANTED ? 0 : sequence);
        return filled(header.getInt());
    }

    private ByteBuffer filled(int size) throws Exception {
        ByteBuffer bytes = payload(size);
        while (bytes.hasRemaining()) {
            assertThat(host.read(bytes)).isPositive();
        }
        return bytes.flip();
    }

    private void hooksBefore(int deadlineMillis) throws Exception {
        request(HOOKS_BEFORE, payload(8).putInt(deadlineMillis).putInt(60_000));
    }

    private void hooksAfter(int how, String name) throws Exception {
        request(
                HOOKS_AFTER,
                payload(1, name).put((byte) how).putInt(name.length()).put(bytes(name)));
        expect(OK);
    }

    private FutureTask<CheckpointResult> askForCheckpoint() {
        FutureTask<CheckpointResult> asking = new FutureTask<>(() -> stillcut.checkpoint(PATIENCE));
        Thread thread = new Thread(asking, "asking");
        thread.setDaemon(true);
        thread.start();
        return asking;
    }

    @Test
    void checkpointIsAskedForAndItsEndIsHeard() throws Exception {
        FutureTask<CheckpointResult> asking = askForCheckpoint();
        long wish = expect(CHECKPOINT_WANTED).getLong();
        String reason = "the store is full";
        request(
                CHECKPOINT_RESULT,
                payload(9, reason)
                        .putLong(wish)
                        .put((byte) 2)
                        .putInt(reason.length())
                        .put(bytes(reason)));
        expect(OK);
        assertThat(asking.get(20, TimeUnit.SECONDS)).isEqualTo(new CheckpointResult.Failed(reason));
    }

    @Test
    void restartIsToldToHooksAndToWhoAsked() throws Exception {
        List<String> calls = new ArrayList<>();
        stillcut.setHooks(new CheckpointHooks() {
            @Override
            public void before() {
                calls.add("before");
            }

            @Override
            public void after(Continuation continuation) {
                calls.add("after " + continuation);
            }
        });
        FutureTask<CheckpointResult> asking = askForCheckpoint();
        expect(CHECKPOINT_WANTED);
        hooksBefore(20_000);
        expect(OK);
        request(HELLO, payload(4).putInt(CHANNEL_VERSION));
        expect(HELLO_OK);
        request(RESTORED, payload(0));
        expect(OK);
        hooksAfter(2, "heat@3");
        assertThat(asking.get(20, TimeUnit.SECONDS))
                .isEqualTo(new CheckpointResult.Committed("heat@3", Continuation.RESTARTED));
        // Its own thread has called them before it has handed the result over.
        assertThat(calls).containsExactly("before", "after RESTARTED");
        stillcut.removeHooks();
    }

    @Test
    void banHoldsCheckpointsUpUntilItIsClosed() throws Exception {
        try (Stillcut.Ban ban = stillcut.forbid(Duration.ofMinutes(1))) {
            assertThat(ban).isNotNull();
            hooksBefore(50);
            ByteBuffer error = expect(ERROR);
            assertThat(error.getInt()).as("ETIMEDOUT").isEqualTo(110);
            assertThat(StandardCharsets.US_ASCII.decode(error).toString())
                    .contains("rank 3 (pid " + ProcessHandle.current().pid() + ") forbids checkpoints for 59");
        }
        hooksBefore(20_000);
        expect(OK);
    }

    @Test
    void tooManyAreRefused() throws Exception {
        List<Stillcut> others = new ArrayList<>();
        assertThatThrownBy(() -> {
                    for (int i = 0; i < 200; i++) {
                        others.add(Stillcut.connect(path, ""));
                    }
                })
                .isInstanceOf(StillcutException.class)
                .hasMessage("too many programs of this VM take part already (errno 87)");
        assertThat(others).hasSize(127);
        others.forEach(Stillcut::close);
    }
}
