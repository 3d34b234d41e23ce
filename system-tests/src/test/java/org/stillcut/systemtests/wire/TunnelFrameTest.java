package org.stillcut.systemtests.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class TunnelFrameTest {
    private static final String OUTER_ETHERNET = "02000000000202000000000108 00";
    private static final String OUTER_IP = "4500 0090 0001 0000 4011 0000 0a620001 0a620002";
    private static final String OUTER_UDP = "c000 12b5 007c 0000";
    private static final String VXLAN = "08000000 00138900";
    private static final String INNER_ETHERNET = "5254005c0001 5254005c0000 0800";

    /** 20 bytes of IP, 32 of TCP with a timestamp, 100 of payload. */
    private static final String INNER_IP = "4500 0098 0002 4000 4006 0000 0a4d0001 0a4d0002";

    private static final String TCP = "0400 9c40 fffffff0 00000007 8010 0200 0000 0000 0101080a 00000001 00000002";

    private static ByteBuffer frame(String... parts) {
        String digits = String.join("", parts).replace(" ", "");
        byte[] bytes = HexFormat.of().parseHex(digits);
        ByteBuffer frame = ByteBuffer.allocate(bytes.length + 100);
        return frame.put(bytes).rewind();
    }

    @Test
    void findsTheSegmentInTheTunnel() {
        TunnelFrame read =
                TunnelFrame.of(frame(OUTER_ETHERNET, OUTER_IP, OUTER_UDP, VXLAN, INNER_ETHERNET, INNER_IP, TCP));
        Segment.Flow flow = new Segment.Flow(0x0a4d0001, 0x400, 0x0a4d0002, 0x9c40);
        assertThat(read).isEqualTo(new TunnelFrame.Carries(new Segment(flow, 0xfffffff0, 100, false, true, 7)));
        assertThat(flow).hasToString("10.77.0.1:1024 to 10.77.0.2:40000");
    }

    @Test
    void fragmentsAreNotPassedOver() {
        assertThat(TunnelFrame.of(frame(OUTER_ETHERNET, OUTER_IP.replace("0001 0000", "0001 2000"), OUTER_UDP, VXLAN)))
                .isInstanceOf(TunnelFrame.Unreadable.class);
        assertThat(TunnelFrame.of(frame(
                        OUTER_ETHERNET,
                        OUTER_IP,
                        OUTER_UDP,
                        VXLAN,
                        INNER_ETHERNET,
                        INNER_IP.replace("0002 4000", "0002 0010"),
                        TCP)))
                .isInstanceOf(TunnelFrame.Unreadable.class);
    }

    @Test
    void whatTheNodesSendForThemselvesIsForeign() {
        assertThat(TunnelFrame.of(frame("ffffffffffff 020000000001 0806 0001080006040001")))
                .isInstanceOf(TunnelFrame.Foreign.class);
        assertThat(TunnelFrame.of(frame(OUTER_ETHERNET, OUTER_IP, OUTER_UDP.replace("12b5", "0035"))))
                .isInstanceOf(TunnelFrame.Foreign.class);
    }

    @Test
    void numbersWrapAround() {
        Segment segment = new Segment(new Segment.Flow(1, 2, 3, 4), 0xfffffff0, 32, false, true, 0);
        assertThat(segment.isCoveredBy(15)).isFalse();
        assertThat(segment.isCoveredBy(16)).isTrue();
        assertThat(segment.isCoveredBy(0xfffffff8)).isFalse();
    }
}
