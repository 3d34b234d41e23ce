package org.stillcut.cli;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;

/**
 * Reads what a guest says of the files that its job has changed, one after the other; docs/guest-channel.md describes the
 * stream. It is not to be trusted: every length is bounded, and a stream that ends early or cannot be meant is an error.
 */
final class ChangedFileReader {
    private static final int MAGIC = 0x314a4353;

    /** Linux' own limit on a path, and on what a link leads to. */
    private static final int MOST_PATH_BYTES = 4096;

    private static final int MOST_PIECE_BYTES = 65_536;

    /** The largest file of an ext4 with blocks of 4 KiB. */
    private static final long MOST_FILE_BYTES = 16L << 40;

    private static final long NANOS = 1_000_000_000L;

    private final DataInputStream input;
    private final boolean contents;
    private long records;

    /** Of the file whose content comes next; -1: none does. */
    private long sizeBytes = -1;

    /** Takes a piece of a file; the offsets grow, and what lies between two pieces is zero. */
    @FunctionalInterface
    interface Content {
        void take(long offsetBytes, ByteBuffer piece) throws IOException;
    }

    ChangedFileReader(InputStream stream) throws IOException {
        this.input = new DataInputStream(stream);
        if (u32() != MAGIC) {
            throw malformed("no magic number");
        }
        int flag = u8();
        if (flag > 1) {
            throw malformed("contents " + flag);
        }
        this.contents = flag == 1;
    }

    /** The next entry, what is left of the last one's content is passed over; empty when all that was sent has come. */
    Optional<ChangedFile> next() throws IOException {
        content((_, _) -> {});
        int code = u8();
        if (code == 'e') {
            long sent = u64();
            if (sent != records || input.read() >= 0) {
                throw malformed("its end tells of " + sent + " entries, " + records + " came");
            }
            return Optional.empty();
        }
        ChangedFile.Kind kind = Arrays.stream(ChangedFile.Kind.values())
                .filter(known -> known.code() == code)
                .findFirst()
                .orElseThrow(() -> malformed("an entry of kind " + code));
        int mode = u32();
        long size = u64();
        long modifiedNanos = u64();
        Instant modified = Instant.ofEpochSecond(modifiedNanos / NANOS, modifiedNanos % NANOS);
        ChangedFile file = new ChangedFile(kind, mode & 07777, size, modified, string(), string());
        if (size < 0 || size > MOST_FILE_BYTES) {
            throw malformed("a file of " + Long.toUnsignedString(size) + " bytes");
        }
        records++;
        sizeBytes = contents && kind == ChangedFile.Kind.FILE ? size : -1;
        return Optional.of(file);
    }

    /** Reads the content of the entry that came last, if there is any. */
    void content(Content sink) throws IOException {
        if (sizeBytes < 0) {
            return;
        }
        long reached = 0;
        for (int length = u32(); length != 0; length = u32()) {
            if (length < 0 || length > MOST_PIECE_BYTES) {
                throw malformed("a piece of " + Integer.toUnsignedString(length) + " bytes");
            }
            long offset = u64();
            if (offset < reached || offset > sizeBytes - length) {
                throw malformed(
                        "a piece at " + Long.toUnsignedString(offset) + " of a file of " + sizeBytes + " bytes");
            }
            sink.take(offset, ByteBuffer.wrap(bytes(length)));
            reached = offset + length;
        }
        sizeBytes = -1;
    }

    private int u8() throws IOException {
        return bytes(1)[0] & 0xff;
    }

    private int u32() throws IOException {
        return Integer.reverseBytes(ByteBuffer.wrap(bytes(Integer.BYTES)).getInt());
    }

    private long u64() throws IOException {
        return Long.reverseBytes(ByteBuffer.wrap(bytes(Long.BYTES)).getLong());
    }

    private String string() throws IOException {
        int length = u32();
        if (length < 0 || length > MOST_PATH_BYTES) {
            throw malformed("a path of " + Integer.toUnsignedString(length) + " bytes");
        }
        byte[] text = bytes(length);
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(text))
                    .toString();
        } catch (CharacterCodingException e) {
            // Readable, and a name that nothing is unpacked to.
            return new String(text, StandardCharsets.ISO_8859_1) + "\0";
        }
    }

    private byte[] bytes(int length) throws IOException {
        byte[] bytes = new byte[length];
        try {
            input.readFully(bytes);
        } catch (EOFException e) {
            throw new IOException("the files of the job ended too early", e);
        }
        return bytes;
    }

    private static IOException malformed(String what) {
        return new IOException("the guest sends files in a way that cannot be meant: " + what);
    }
}
