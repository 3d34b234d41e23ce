package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantitiesTest {
    @ParameterizedTest
    @CsvSource({"500ms, PT0.5S", "30, PT30S", "30s, PT30S", "10m, PT10M", "2h, PT2H", "1d, PT24H", "0, PT0S"})
    void readsDurations(String text, Duration expected) throws UsageException {
        assertThat(Quantities.duration("--x", text)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "s", "-1s", "1.5m", "1 m", "1w", "10M", "1000000000", "0x10", "10mm"})
    void refusesOtherDurations(String text) {
        assertThatThrownBy(() -> Quantities.duration("--x", text))
                .isInstanceOf(UsageException.class)
                .hasMessage("--x " + text + ": not a duration such as 30s, 10m or 2h");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1048576, 1048576",
        "1k, 1024",
        "256M, 268435456",
        "256MB, 268435456",
        "256MiB, 268435456",
        "2g, 2147483648",
        "1T, 1099511627776",
        "7B, 7"
    })
    void readsSizes(String text, long expected) throws UsageException {
        assertThat(Quantities.bytes("--x", text)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "M", "-1", "1.5G", "1 G", "1P", "1234567890123", "G1"})
    void refusesOtherSizes(String text) {
        assertThatThrownBy(() -> Quantities.bytes("--x", text))
                .isInstanceOf(UsageException.class)
                .hasMessage("--x " + text + ": not a size such as 256M or 2G");
    }

    @Test
    void refusesSizesThatOverflow() {
        assertThatThrownBy(() -> Quantities.bytes("--x", "999999999999T"))
                .isInstanceOf(UsageException.class)
                .hasMessage("--x 999999999999T: too large");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "11", "-1", "+1", "1e1", "99999999999999999999", "\u0663"})
    void refusesCountsOutOfBounds(String text) {
        assertThatThrownBy(() -> Quantities.count("--x", text, 1, 10))
                .isInstanceOf(UsageException.class)
                .hasMessage("--x " + text + ": not a number from 1 to 10");
    }

    @Test
    void readsCountsUpToTheBounds() throws UsageException {
        assertThat(Quantities.count("--x", "1", 1, 10)).isEqualTo(1);
        assertThat(Quantities.count("--x", "10", 1, 10)).isEqualTo(10);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 B",
        "1023, 1023 B",
        "1024, 1.0 KiB",
        "102236160, 97.5 MiB",
        "1073741824, 1.0 GiB",
        "1125899906842624, 1024.0 TiB"
    })
    void printsSizes(long bytes, String expected) {
        assertThat(Quantities.readableBytes(bytes)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"0, 0.0 ms", "12345, 12.3 ms", "1000000, 1.00 s", "4050000, 4.05 s"})
    void printsTimes(long micros, String expected) {
        assertThat(Quantities.readableMicros(micros)).isEqualTo(expected);
    }
}
