package org.stillcut.agent.qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.Arrays;
import java.util.Optional;

/** Cuts a byte stream into lines of a bounded length. For one reading thread. */
final class QmpLines {

    private static final int FIRST_CAPACITY_BYTES = 8192;

    private final ReadableByteChannel channel;
    private final int limitBytes;
    private ByteBuffer buffer = ByteBuffer.allocate(FIRST_CAPACITY_BYTES);
    private int scanned;

    QmpLines(ReadableByteChannel channel, int limitBytes) {
        this.channel = channel;
        this.limitBytes = limitBytes;
    }

    /**
     * The next line without its end, empty at the end of the stream. An unfinished last line is dropped.
     *
     * @throws IOException if the line is longer than the limit, or the stream fails
     */
    Optional<byte[]> next() throws IOException {
        while (true) {
            for (; scanned < buffer.position(); scanned++) {
                if (buffer.get(scanned) == '\n') {
                    return Optional.of(take(scanned));
                }
            }
            if (scanned >= limitBytes) {
                throw new IOException("line longer than " + limitBytes + " bytes");
            }
            if (!buffer.hasRemaining()) {
                byte[] larger = Arrays.copyOf(buffer.array(), buffer.capacity() * 2);
                buffer = ByteBuffer.wrap(larger).position(scanned);
            }
            if (channel.read(buffer) < 0) {
                return Optional.empty();
            }
        }
    }

    private byte[] take(int lengthBytes) {
        byte[] line = Arrays.copyOf(buffer.array(), lengthBytes);
        buffer.flip().position(lengthBytes + 1);
        buffer.compact();
        scanned = 0;
        return line;
    }
}
