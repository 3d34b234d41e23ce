package org.stillcut.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class ParticipantMessagesTest {

    @Test
    void payloadsAreThoseOfTheFormat() {
        assertThat(hex(ParticipantMessages.hooksBefore(Duration.ofSeconds(60), Duration.ofMinutes(10))))
                .isEqualTo("60ea0000" + "c0270900");
        assertThat(hex(ParticipantMessages.hooksAfter(ParticipantMessages.RESUMED, "")))
                .isEqualTo("01" + "00000000");
        assertThat(hex(ParticipantMessages.hooksAfter(ParticipantMessages.RESTARTED, "a@1")))
                .isEqualTo("02" + "03000000" + "614031");
        assertThat(hex(ParticipantMessages.checkpointResult(258, CheckpointOutcome.FAILED, "no")))
                .isEqualTo("0201000000000000" + "02" + "02000000" + "6e6f");
    }

    @Test
    void textIsOneLineOfWholeCharactersWithinTheLimit() {
        for (String text :
                List.of("x".repeat(300), "ü".repeat(300), "a" + "日".repeat(300), "😀".repeat(300), "x😀".repeat(200))) {
            byte[] payload = ParticipantMessages.checkpointResult(1, CheckpointOutcome.COMMITTED, text);
            byte[] words = Arrays.copyOfRange(payload, 13, payload.length);
            assertThat(words.length)
                    .as(text)
                    .isBetween(ParticipantMessages.MAX_TEXT_BYTES - 8, ParticipantMessages.MAX_TEXT_BYTES);
            assertThat(text).startsWith(new String(words, StandardCharsets.UTF_8));
        }
        byte[] lines = ParticipantMessages.checkpointResult(1, CheckpointOutcome.FAILED, "two\nlines\0\u001b");
        assertThat(new String(lines, StandardCharsets.UTF_8)).endsWith("two lines");
    }

    @Test
    void wishIsOneNumberThatIsNotZero() {
        assertThat(ParticipantMessages.wish(GuestMessages.reader(GuestMessages.u64(-1))))
                .isEqualTo(-1);
        for (byte[] payload : List.of(new byte[8], new byte[9], new byte[] {1, 0, 0, 0, 0, 0, 0, 0, 0})) {
            assertThatThrownBy(() -> ParticipantMessages.wish(GuestMessages.reader(payload)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
