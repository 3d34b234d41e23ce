package org.stillcut.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The real daemon of the guests, run on this machine: that the two programs speak the same language. */
@Timeout(60)
class GuestDaemonIT {

    private static final Path DAEMON = Path.of("..", "build", "guest", "stillcut-guestd");
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final HeardWords heard = new HeardWords();
    private Process daemon;
    private GuestChannel channel;

    @BeforeEach
    void connect(@TempDir Path directory) throws Exception {
        assertThat(DAEMON).as("scripts/setup has been run").isExecutable();
        Path socket = directory.resolve("ctl.sock");
        // With nofork socat becomes the daemon, whose descriptor 0 is one end of the connection, as QEMU would give it.
        daemon = new ProcessBuilder(
                        "socat", "UNIX-LISTEN:" + socket, "EXEC:" + DAEMON.toRealPath() + " --plain --fd 0,nofork")
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("daemon.log").toFile())
                .start();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                channel = GuestChannel.connect("vm0", socket, heard);
                break;
            } catch (GuestException e) {
                assertThat(System.nanoTime()).as("the bridge listens").isLessThan(deadline);
                assertThat(daemon.isAlive())
                        .as(Files.readString(directory.resolve("daemon.log")))
                        .isTrue();
                Thread.sleep(Duration.ofMillis(5));
            }
        }
        channel.hello(PATIENCE);
    }

    @AfterEach
    void end() throws Exception {
        if (channel != null) {
            channel.close();
        }
        if (daemon != null) {
            daemon.destroyForcibly().waitFor();
        }
    }

    @Test
    void jobRunsItsOutputIsHeardAndItsEnd() throws Exception {
        channel.start("/", List.of("/bin/sh", "-c", "echo \"$WORD\"; echo bad >&2; exit 7"), List.of("WORD=wörd"));
        String both = heard.next() + heard.next();
        assertThat(both).contains("1@0:wörd\n").contains("2@0:bad\n");
        assertThat(heard.next()).isEqualTo("exited 7");
    }

    @Test
    void outputNotAcknowledgedAndTheEndAreSaidAgainAfterHello() throws Exception {
        channel.start("/", List.of("/bin/echo", "one"), List.of());
        assertThat(heard.next()).isEqualTo("1@0:one\n");
        assertThat(heard.next()).isEqualTo("exited 0");
        channel.hello(PATIENCE);
        assertThat(heard.next()).isEqualTo("1@0:one\n");
        assertThat(heard.next()).isEqualTo("exited 0");
        channel.acknowledgeOutput(1, 4);
        channel.hello(PATIENCE);
        assertThat(heard.next()).isEqualTo("exited 0");
    }

    @Test
    void signalEndsTheJob() throws Exception {
        channel.start("/", List.of("/bin/sleep", "1000"), List.of());
        channel.signal(15);
        assertThat(heard.next()).isEqualTo("exited 143");
    }

    @Test
    void refusalsOfTheDaemonAreUnderstood() throws Exception {
        assertThatThrownBy(() -> channel.signal(15))
                .isInstanceOf(GuestException.class)
                .hasMessageContaining("errno 3");
        assertThatThrownBy(() -> new GuestGate(channel).freeze(Duration.ofSeconds(15), Duration.ofMillis(100)))
                .isInstanceOf(GuestException.class)
                .hasMessageContaining("cannot freeze");
        assertThatThrownBy(() -> channel.start("/", List.of("/no/such/program"), List.of()))
                .isInstanceOf(GuestException.class)
                .hasMessageContaining("/no/such/program");
        channel.start("/", List.of("/bin/true"), List.of());
        assertThatThrownBy(() -> channel.start("/", List.of("/bin/true"), List.of()))
                .isInstanceOf(GuestException.class)
                .hasMessageContaining("errno 114");
    }

    @Test
    void longOutputArrivesWholeWhileItIsAcknowledged() throws Exception {
        int lines = 60_000;
        channel.start("/", List.of("/usr/bin/seq", "1", Integer.toString(lines)), List.of());
        StringBuilder all = new StringBuilder();
        for (String word = heard.next(); !word.startsWith("exited"); word = heard.next()) {
            int colon = word.indexOf(':');
            assertThat(word.substring(0, colon)).isEqualTo("1@" + all.length());
            all.append(word.substring(colon + 1));
            channel.acknowledgeOutput(1, all.length());
        }
        assertThat(all.toString().lines()).hasSize(lines);
        assertThat(all).endsWith("\n" + lines + "\n");
    }
}
