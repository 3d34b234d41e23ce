package org.stillcut.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class GuestMessagesTest {

    @Test
    void numbersAreLittleEndian() {
        assertThat(hex(GuestMessages.u32(0x01020304))).isEqualTo("04030201");
        assertThat(hex(GuestMessages.u64(0x0102030405060708L))).isEqualTo("0807060504030201");
        assertThat(hex(GuestMessages.outputAck(2, 258))).isEqualTo("020201000000000000");
    }

    @Test
    void startHoldsDirectoryArgumentsAndEnvironment() {
        assertThat(hex(GuestMessages.start("/w", List.of("a"), List.of())))
                .isEqualTo("020000002f77" + "01000000" + "0100000061" + "00000000");
    }

    @Test
    void lengthsOfStringsCountBytesNotCharacters() {
        assertThat(hex(GuestMessages.start("ü", List.of(), List.of()))).startsWith("02000000c3bc");
        ByteBuffer back = GuestMessages.reader(GuestMessages.start("/日本", List.of(), List.of()));
        assertThat(GuestMessages.string(back)).isEqualTo("/日本");
    }

    @Test
    void stringLongerThanItsPayloadIsRefusedBeforeAnythingIsAllocated() {
        for (String hex : List.of("05000000616263", "ffffffff", "ffffff7f")) {
            ByteBuffer payload = GuestMessages.reader(HexFormat.of().parseHex(hex));
            assertThatThrownBy(() -> GuestMessages.string(payload)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> GuestMessages.string(GuestMessages.reader(new byte[3])))
                .isInstanceOf(BufferUnderflowException.class);
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }
}
