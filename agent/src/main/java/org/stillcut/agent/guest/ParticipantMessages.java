package org.stillcut.agent.guest;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Types and payloads of the frames about programs that take part, as they stand in docs/guest-channel.md. */
final class ParticipantMessages {
    static final int HOOKS_BEFORE = 24;
    static final int HOOKS_AFTER = 25;
    static final int CHECKPOINT_RESULT = 26;
    static final int CHECKPOINT_WANTED = 143;

    static final int RESUMED = 1;
    static final int RESTARTED = 2;

    /** What the daemon takes of a name or a reason. */
    static final int MAX_TEXT_BYTES = 256;

    private static final int LENGTH_BYTES = 4;

    private ParticipantMessages() {}

    static byte[] hooksBefore(Duration deadline, Duration hold) {
        return payload(8)
                .putInt(Math.toIntExact(deadline.toMillis()))
                .putInt(Math.toIntExact(hold.toMillis()))
                .array();
    }

    static byte[] hooksAfter(int continuation, String checkpoint) {
        byte[] text = text(checkpoint);
        return payload(1 + LENGTH_BYTES + text.length)
                .put((byte) continuation)
                .putInt(text.length)
                .put(text)
                .array();
    }

    static byte[] checkpointResult(long wish, CheckpointOutcome outcome, String words) {
        byte[] text = text(words);
        return payload(9 + LENGTH_BYTES + text.length)
                .putLong(wish)
                .put((byte) outcome.code())
                .putInt(text.length)
                .put(text)
                .array();
    }

    /** The wish of a CHECKPOINT_WANTED. */
    static long wish(ByteBuffer payload) {
        long wish = payload.getLong();
        if (wish == 0 || payload.hasRemaining()) {
            throw new IllegalArgumentException("wish " + wish + ", " + payload.remaining() + " bytes left over");
        }
        return wish;
    }

    /** One line that the daemon takes: without control characters, not longer than it allows. */
    private static byte[] text(String words) {
        String line = words.replaceAll("\\p{Cntrl}+", " ").strip();
        byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
        while (bytes.length > MAX_TEXT_BYTES) {
            // By whole characters, a long one at once.
            int keep = Math.min(line.length() - 1, MAX_TEXT_BYTES);
            line = line.substring(0, Character.isHighSurrogate(line.charAt(keep - 1)) ? keep - 1 : keep);
            bytes = line.getBytes(StandardCharsets.UTF_8);
        }
        return bytes;
    }

    private static ByteBuffer payload(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
