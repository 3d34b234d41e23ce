package org.stillcut.systemtests.wire;

import java.nio.ByteBuffer;

/** What is in a frame between two nodes, as far as it is the job's: see RFC 7348 for the tunnel. */
sealed interface TunnelFrame {
    /** Not of the tunnel: the nodes' own, such as ARP. */
    record Foreign() implements TunnelFrame {}

    /** In the tunnel and not TCP: the VMs' own ARP. */
    record NoSegment() implements TunnelFrame {}

    /** In the tunnel, but it cannot be said what it carries. */
    record Unreadable(String why) implements TunnelFrame {}

    record Carries(Segment segment) implements TunnelFrame {}

    int ETHERNET_BYTES = 14;
    int UDP_BYTES = 8;
    int VXLAN_BYTES = 8;
    int VXLAN_PORT = 4789;
    int IPV4 = 0x0800;
    int UDP = 17;
    int TCP = 6;

    /** More fragments, and the offset of this one. */
    int FRAGMENTED = 0x3fff;

    int SYN = 2;
    int ACK = 16;

    /** Reads a whole Ethernet frame. */
    static TunnelFrame of(ByteBuffer frame) {
        if (frame.limit() < ETHERNET_BYTES + 20 + UDP_BYTES || frame.getShort(12) != IPV4) {
            return new Foreign();
        }
        Ip outer = Ip.at(frame, ETHERNET_BYTES);
        if (outer.protocol != UDP) {
            return new Foreign();
        }
        if (outer.fragmented) {
            return new Unreadable("a fragment between the nodes");
        }
        if (port(frame, outer.end + 2) != VXLAN_PORT) {
            return new Foreign();
        }
        int inside = outer.end + UDP_BYTES + VXLAN_BYTES;
        if (frame.limit() < inside + ETHERNET_BYTES + 20 || frame.getShort(inside + 12) != IPV4) {
            return new NoSegment();
        }
        Ip inner = Ip.at(frame, inside + ETHERNET_BYTES);
        if (inner.protocol != TCP) {
            return new NoSegment();
        }
        if (inner.fragmented) {
            return new Unreadable("a fragment of the job's");
        }
        return inner.end + 20 > frame.limit() ? new Unreadable("a short segment") : new Carries(segment(frame, inner));
    }

    private static Segment segment(ByteBuffer frame, Ip ip) {
        int tcp = ip.end;
        int headerBytes = (frame.get(tcp + 12) >> 4 & 15) * 4;
        int flags = frame.get(tcp + 13);
        Segment.Flow flow = new Segment.Flow(
                frame.getInt(ip.start + 12), port(frame, tcp), frame.getInt(ip.start + 16), port(frame, tcp + 2));
        return new Segment(
                flow,
                frame.getInt(tcp + 4),
                ip.lengthBytes - (tcp - ip.start) - headerBytes,
                (flags & SYN) != 0,
                (flags & ACK) != 0,
                frame.getInt(tcp + 8));
    }

    private static int port(ByteBuffer frame, int at) {
        return Short.toUnsignedInt(frame.getShort(at));
    }

    /** Where an IPv4 header begins and ends, and what it says. */
    record Ip(int start, int end, int lengthBytes, int protocol, boolean fragmented) {
        static Ip at(ByteBuffer frame, int start) {
            return new Ip(
                    start,
                    start + (frame.get(start) & 15) * 4,
                    Short.toUnsignedInt(frame.getShort(start + 2)),
                    frame.get(start + 9) & 255,
                    (frame.getShort(start + 6) & FRAGMENTED) != 0);
        }
    }
}
