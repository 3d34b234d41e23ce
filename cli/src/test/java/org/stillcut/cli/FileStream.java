package org.stillcut.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** What a guest sends of the files that its job has changed: an honest one, or one that says what a test wants. */
final class FileStream {
    static final long MODIFIED_NANOS = 1_700_000_000_123_456_789L;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final boolean contents;
    private long records;

    FileStream(boolean contents) {
        this.contents = contents;
        u32(0x314a4353).raw(contents ? 1 : 0);
    }

    FileStream u32(int value) {
        return raw(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
    }

    FileStream u64(long value) {
        return raw(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array());
    }

    FileStream raw(int value) {
        bytes.write(value);
        return this;
    }

    FileStream raw(byte[] some) {
        bytes.writeBytes(some);
        return this;
    }

    private FileStream string(String text) {
        byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
        return u32(encoded.length).raw(encoded);
    }

    FileStream entry(char kind, int mode, long size, String path, String target) {
        records++;
        return raw(kind).u32(mode).u64(size).u64(MODIFIED_NANOS).string(path).string(target);
    }

    /** A file with its content, if this stream has contents. */
    FileStream file(String path, String content) {
        byte[] data = content.getBytes(StandardCharsets.UTF_8);
        entry('f', 0640, data.length, path, "");
        return contents ? piece(0, data).u32(0) : this;
    }

    FileStream piece(long offset, byte[] data) {
        return data.length == 0 ? this : u32(data.length).u64(offset).raw(data);
    }

    FileStream directory(String path, int mode) {
        return entry('d', mode, 4096, path, "");
    }

    FileStream link(String path, String target) {
        return entry('l', 0777, target.length(), path, target);
    }

    FileStream removed(String path) {
        return entry('x', 0, 0, path, "");
    }

    byte[] end() {
        raw('e').u64(records);
        return bytes.toByteArray();
    }

    static ChangedFileReader reader(byte[] stream) throws IOException {
        return new ChangedFileReader(new ByteArrayInputStream(stream));
    }
}
