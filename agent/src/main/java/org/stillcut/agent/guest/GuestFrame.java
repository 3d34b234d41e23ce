package org.stillcut.agent.guest;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32;

/**
 * One frame on the channel between an agent and a guest daemon, as it stands in docs/guest-channel.md.
 *
 * <pre>
 * offset  bytes
 *      0      4  magic "SCG1", little endian as all that follows
 *      4      2  type
 *      6      2  zero
 *      8      4  sequence: a reply carries its request's, 0 for what nobody asked for
 *     12      4  length of the payload
 *     16      4  CRC-32 of bytes 0 to 15 and the payload
 *     20      …  payload
 * </pre>
 *
 * @param payload is not copied; whoever makes a frame gives the array away
 */
@SuppressWarnings("ArrayRecordComponent") // Frames are passed on once and never compared.
record GuestFrame(int type, int sequence, byte[] payload) {
    static final int MAGIC = 0x31474353;
    static final int HEADER_BYTES = 20;

    /** Bounds what a guest can make the agent allocate; the daemon refuses longer frames as well. */
    static final int MAX_PAYLOAD_BYTES = 262_144;

    private static final int CHECKED_HEADER_BYTES = 16;

    GuestFrame {
        if (payload.length > MAX_PAYLOAD_BYTES) {
            throw new IllegalArgumentException("payload of " + payload.length + " bytes");
        }
    }

    ByteBuffer encode() {
        ByteBuffer buffer = ByteBuffer.allocate(HEADER_BYTES + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putInt(MAGIC).putShort((short) type).putShort((short) 0);
        buffer.putInt(sequence).putInt(payload.length);
        buffer.putInt(checksum(buffer.array(), 0, payload)).put(payload);
        return buffer.flip();
    }

    static int checksum(byte[] frame, int headerOffset, byte[] payload) {
        CRC32 crc = new CRC32();
        crc.update(frame, headerOffset, CHECKED_HEADER_BYTES);
        crc.update(payload);
        return (int) crc.getValue();
    }
}
