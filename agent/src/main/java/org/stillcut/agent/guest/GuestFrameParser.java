package org.stillcut.agent.guest;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/**
 * Cuts a stream of bytes from a guest into frames. The guest is not trusted and, after a restore, the stream may begin
 * in the middle of a frame: whatever is not a whole, valid frame is skipped up to the next magic number.
 *
 * <p>Memory is bounded by one frame of the largest size. Not thread-safe.
 */
final class GuestFrameParser {
    private final byte[] bytes = new byte[GuestFrame.HEADER_BYTES + GuestFrame.MAX_PAYLOAD_BYTES];
    private final ByteBuffer view = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    private int start;
    private int end;
    private long skippedBytes;

    /** Where the next bytes from the guest belong; never empty once {@link #next} has returned nothing. */
    ByteBuffer space() {
        if (start > 0) {
            System.arraycopy(bytes, start, bytes, 0, end - start);
            end -= start;
            start = 0;
        }
        return ByteBuffer.wrap(bytes, end, bytes.length - end);
    }

    /** Says that so many bytes were put into {@link #space}. */
    void received(int count) {
        end += count;
    }

    /** The next whole frame, or nothing if more bytes are needed first. */
    Optional<GuestFrame> next() {
        while (end - start >= GuestFrame.HEADER_BYTES) {
            int length = view.getInt(start + 12);
            if (view.getInt(start) != GuestFrame.MAGIC
                    || view.getShort(start + 6) != 0
                    || length < 0
                    || length > GuestFrame.MAX_PAYLOAD_BYTES) {
                skip();
                continue;
            }
            int frameBytes = GuestFrame.HEADER_BYTES + length;
            if (end - start < frameBytes) {
                return Optional.empty();
            }
            byte[] payload = Arrays.copyOfRange(bytes, start + GuestFrame.HEADER_BYTES, start + frameBytes);
            if (view.getInt(start + 16) != GuestFrame.checksum(bytes, start, payload)) {
                skip();
                continue;
            }
            GuestFrame frame =
                    new GuestFrame(Short.toUnsignedInt(view.getShort(start + 4)), view.getInt(start + 8), payload);
            start += frameBytes;
            return Optional.of(frame);
        }
        return Optional.empty();
    }

    /** Bytes thrown away so far because they belonged to no valid frame. */
    long skippedBytes() {
        return skippedBytes;
    }

    private void skip() {
        start++;
        skippedBytes++;
    }
}
