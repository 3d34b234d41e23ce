package org.stillcut.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GuestFrameTest {

    /** A frame, and its bytes as the format's table says, with checksums of another program (zlib's crc32). */
    record Vector(String name, GuestFrame frame, String hex) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Vector> vectors() {
        return List.of(
                new Vector(
                        "hello",
                        new GuestFrame(GuestMessages.HELLO, 1, GuestMessages.u32(1)),
                        "534347310100000001000000040000005419d07701000000"),
                new Vector("ping", new GuestFrame(7, 7, new byte[0]), "53434731070000000700000000000000caaf6a56"),
                new Vector(
                        "start",
                        new GuestFrame(
                                GuestMessages.START, 2, GuestMessages.start("/w", List.of("a", "bc"), List.of("K=v"))),
                        "534347310200000002000000200000005b60fd02020000002f7702000000010000006102000000626301000000030000004b3d76"),
                new Vector(
                        "output",
                        new GuestFrame(GuestMessages.OUTPUT, 0, HexFormat.of().parseHex("0110000000000000006869")),
                        "534347318c000000000000000b0000008a66bebc0110000000000000006869"),
                new Vector(
                        "sequence and type with their highest bits",
                        new GuestFrame(0xfffe, 0xfffffffd, "x".getBytes(StandardCharsets.UTF_8)),
                        "53434731feff0000fdffffff0100000032f2283278"));
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void encodesAsTheFormatSays(Vector vector) {
        byte[] bytes = new byte[vector.frame().encode().remaining()];
        vector.frame().encode().get(bytes);
        assertThat(HexFormat.of().formatHex(bytes)).isEqualTo(vector.hex());
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void decodesAsTheFormatSays(Vector vector) {
        GuestFrameParser parser = new GuestFrameParser();
        byte[] bytes = HexFormat.of().parseHex(vector.hex());
        parser.space().put(bytes);
        parser.received(bytes.length);
        Optional<GuestFrame> frame = parser.next();
        assertThat(frame).isPresent();
        assertThat(frame.get().type()).isEqualTo(vector.frame().type());
        assertThat(frame.get().sequence()).isEqualTo(vector.frame().sequence());
        assertThat(frame.get().payload()).isEqualTo(vector.frame().payload());
        assertThat(parser.skippedBytes()).isZero();
    }

    @Test
    void refusesPayloadOverTheLimit() {
        int limit = GuestFrame.MAX_PAYLOAD_BYTES;
        ByteBuffer longest = new GuestFrame(1, 1, new byte[limit]).encode();
        assertThat(longest.remaining()).isEqualTo(GuestFrame.HEADER_BYTES + limit);
        assertThatThrownBy(() -> new GuestFrame(1, 1, new byte[limit + 1]))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
