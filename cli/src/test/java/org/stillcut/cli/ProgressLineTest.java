package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProgressLineTest {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final PrintStream stream = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    private long nanos;

    private String told() {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void terminalSeesBytesRateAndTimeLeftAndThenNothing() {
        try (ProgressLine line = new ProgressLine(stream, false, () -> nanos)) {
            line.begin("export", 100 << 20);
            line.advance(1 << 20);
            assertThat(told()).isEmpty();
            nanos = 1_000_000_000;
            line.advance(9 << 20);
            assertThat(told()).isEqualTo("\r\033[Kexport: 10.0 MiB of 100.0 MiB, 10 %, 10.0 MiB/s, 0:09 left");
            line.advance(1 << 20);
            assertThat(told()).endsWith("0:09 left");
        }
        assertThat(told()).endsWith("\r\033[K");
    }

    @Test
    void programsGetOneObjectASecond() {
        try (ProgressLine line = new ProgressLine(stream, true, () -> nanos)) {
            line.begin("read packs", 0);
            nanos = 2_000_000_000;
            line.advance(4096);
            line.advance(4096);
        }
        assertThat(told())
                .isEqualTo("{\"schema\":\"stillcut.progress/1\",\"step\":\"read packs\",\"bytes\":4096,"
                        + "\"totalBytes\":0,\"bytesPerSecond\":2048}\n");
    }

    @Test
    void pipeGetsNothing() {
        try (ProgressLine line = ProgressLine.none()) {
            line.begin("prune", 10);
            line.advance(10);
        }
        assertThat(told()).isEmpty();
    }
}
