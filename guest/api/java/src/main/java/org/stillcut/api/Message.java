package org.stillcut.api;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One message on the socket, as it stands in docs/taking-part.md.
 *
 * <pre>
 * offset  bytes
 *      0      2  type, little endian as all that follows
 *      2      2  length of the payload, at most 504
 *      4      4  tag: an answer carries its request's
 *      8      …  payload
 * </pre>
 */
final class Message {
    static final int VERSION = 1;
    static final int HELLO = 1;
    static final int CHECKPOINT = 2;
    static final int HOOKS = 3;
    static final int BEFORE_DONE = 4;
    static final int FORBID = 5;
    static final int ALLOW = 6;
    static final int WELCOME = 101;
    static final int DONE = 102;
    static final int RESULT = 103;
    static final int REFUSED = 104;
    static final int BEFORE = 110;
    static final int AFTER = 111;

    static final int HEADER_BYTES = 8;
    static final int MAX_PAYLOAD_BYTES = 504;

    private final int type;
    private final int tag;
    private final byte[] payload;

    private Message(int type, int tag, byte[] payload) {
        this.type = type;
        this.tag = tag;
        this.payload = payload;
    }

    static Message of(int type, int tag, byte... payload) {
        return new Message(type, tag, payload);
    }

    static Message ofInt(int type, int tag, int value) {
        return of(type, tag, buffer(4).putInt(value).array());
    }

    static Message hello(int tag, String label) {
        byte[] words = label.getBytes(StandardCharsets.UTF_8);
        ByteBuffer payload = ByteBuffer.allocate(8 + words.length).order(ByteOrder.LITTLE_ENDIAN);
        payload.putInt(VERSION).putInt(words.length).put(words);
        return of(HELLO, tag, payload.array());
    }

    static Message beforeDone(long round, String refusal) {
        // Room for the round and the length; the daemon takes the string as bytes, so that half a character does no
        // harm.
        byte[] all = refusal.replace('\0', ' ').getBytes(StandardCharsets.UTF_8);
        byte[] words = Arrays.copyOf(all, Math.min(all.length, MAX_PAYLOAD_BYTES - 12));
        ByteBuffer payload = ByteBuffer.allocate(12 + words.length).order(ByteOrder.LITTLE_ENDIAN);
        payload.putLong(round).putInt(words.length).put(words);
        return of(BEFORE_DONE, 0, payload.array());
    }

    int type() {
        return type;
    }

    int tag() {
        return tag;
    }

    ByteBuffer encode() {
        ByteBuffer bytes = buffer(HEADER_BYTES + payload.length);
        bytes.putShort((short) type)
                .putShort((short) payload.length)
                .putInt(tag)
                .put(payload);
        return bytes.flip();
    }

    /** Reads one message; blocks until it is there. */
    static Message read(ReadableByteChannel from) throws IOException {
        ByteBuffer header = filled(from, HEADER_BYTES);
        int type = Short.toUnsignedInt(header.getShort());
        int length = Short.toUnsignedInt(header.getShort());
        int tag = header.getInt();
        if (length > MAX_PAYLOAD_BYTES) {
            throw new StillcutException("malformed message: " + length + " bytes of payload, at most "
                    + MAX_PAYLOAD_BYTES + " are allowed");
        }
        return of(type, tag, filled(from, length).array());
    }

    private static ByteBuffer filled(ReadableByteChannel from, int length) throws IOException {
        ByteBuffer bytes = buffer(length);
        while (bytes.hasRemaining()) {
            if (from.read(bytes) < 0) {
                throw new StillcutException("Stillcut's daemon in this VM has closed the connection");
            }
        }
        return bytes.flip();
    }

    private static ByteBuffer buffer(int length) {
        return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** What is in a payload. */
    interface Body<T> {
        T read(ByteBuffer payload) throws StillcutException;
    }

    /** Takes the payload apart, all of it. */
    <T> T parse(Body<T> body) throws StillcutException {
        ByteBuffer bytes = ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
        try {
            T parsed = body.read(bytes);
            if (bytes.hasRemaining()) {
                throw new StillcutException("malformed message of type " + type + ": too long");
            }
            return parsed;
        } catch (BufferUnderflowException e) {
            throw new StillcutException("malformed message of type " + type, e);
        }
    }

    static String string(ByteBuffer payload) throws StillcutException {
        int length = payload.getInt();
        if (length < 0 || length > payload.remaining()) {
            throw new StillcutException("malformed message: a string of " + length + " bytes");
        }
        byte[] bytes = new byte[length];
        payload.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
