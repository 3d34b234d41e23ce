package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ProgressTest {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final CountDownLatch flushed = new CountDownLatch(1);
    private final PrintStream terminal = new PrintStream(bytes, false, StandardCharsets.UTF_8) {
        @Override
        public void flush() {
            super.flush();
            flushed.countDown();
        }
    };

    private String shown() {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void longWaitIsShownAndTakenAway() throws Exception {
        try (Progress progress = Progress.on(terminal, Duration.ofMillis(50), "taking a checkpoint")) {
            progress.say("3.0 MiB");
            assertThat(flushed.await(30, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(shown())
                .startsWith("\r\u001b[Kstillcut: taking a checkpoint, 3.0 MiB, 0 s")
                .endsWith("\r\u001b[K");
    }

    @Test
    void shortWaitIsSilent() {
        Progress.on(terminal, Duration.ofMinutes(5), "nothing").close();
        assertThat(shown()).isEmpty();
    }

    @Test
    void nothingIsSaidWhereThereIsNoTerminal() {
        Console console = Console.of(() -> {
            try (Progress progress = Progress.after(Duration.ZERO, "something")) {
                progress.say("1");
            }
            return 0;
        });
        assertThat(console).isEqualTo(new Console(0, "", ""));
    }
}
