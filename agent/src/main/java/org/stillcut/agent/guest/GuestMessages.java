package org.stillcut.agent.guest;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;

/** Types and payloads of the frames, as they stand in docs/guest-channel.md. */
final class GuestMessages {
    static final int VERSION = 2;

    static final int HELLO = 1;
    static final int START = 2;
    static final int FREEZE = 3;
    static final int SIGNAL = 5;
    static final int OUTPUT_ACK = 6;

    static final int GATE_CLOSE = 16;
    static final int COUNTERS = 18;
    static final int VERIFY = 19;
    static final int THAW_OPEN = 20;
    static final int LEASE = 21;
    static final int RESTORED = 22;
    static final int ELIGIBILITY = 23;

    static final int OK = 128;
    static final int ERROR = 129;
    static final int HELLO_OK = 130;
    static final int COUNTERS_OK = 131;
    static final int VERIFY_OK = 132;
    static final int ELIGIBILITY_OK = 133;

    static final int OUTPUT = 140;
    static final int EXITED = 141;
    static final int LEASE_EXPIRED = 142;

    private GuestMessages() {}

    static byte[] u8(int value) {
        return new byte[] {(byte) value};
    }

    static byte[] u32(int value) {
        return filled(4, buffer -> buffer.putInt(value));
    }

    static byte[] u64(long value) {
        return filled(8, buffer -> buffer.putLong(value));
    }

    static byte[] outputAck(int stream, long offset) {
        return filled(9, buffer -> buffer.put((byte) stream).putLong(offset));
    }

    static byte[] start(String directory, List<String> arguments, List<String> environment) {
        int size = stringBytes(directory) + listBytes(arguments) + listBytes(environment);
        return filled(size, buffer -> {
            putString(buffer, directory);
            putList(buffer, arguments);
            putList(buffer, environment);
        });
    }

    /** A buffer over a payload, for reading. */
    static ByteBuffer reader(byte[] payload) {
        return ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
    }

    static String string(ByteBuffer payload) {
        int length = payload.getInt();
        if (length < 0 || length > payload.remaining()) {
            throw new IllegalArgumentException("string of " + length + " bytes in " + payload.remaining());
        }
        byte[] bytes = new byte[length];
        payload.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static byte[] filled(int size, Consumer<ByteBuffer> content) {
        byte[] payload = new byte[size];
        content.accept(reader(payload));
        return payload;
    }

    private static int stringBytes(String string) {
        return 4 + string.getBytes(StandardCharsets.UTF_8).length;
    }

    private static int listBytes(List<String> strings) {
        return 4 + strings.stream().mapToInt(GuestMessages::stringBytes).sum();
    }

    private static void putString(ByteBuffer buffer, String string) {
        byte[] bytes = string.getBytes(StandardCharsets.UTF_8);
        buffer.putInt(bytes.length).put(bytes);
    }

    private static void putList(ByteBuffer buffer, List<String> strings) {
        buffer.putInt(strings.size());
        strings.forEach(string -> putString(buffer, string));
    }
}
