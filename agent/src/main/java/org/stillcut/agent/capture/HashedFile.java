package org.stillcut.agent.capture;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.stillcut.store.image.ImageSource;

/** A file that is read once from its start to its end, by whoever stores it, and hashed on the way. Not thread-safe. */
final class HashedFile implements ImageSource, AutoCloseable {
    private static final int PIECE_BYTES = 1 << 20;

    private final Path file;
    private final FileChannel channel;
    private final long lengthBytes;
    private final MessageDigest digest = newDigest();
    private long hashedBytes;

    HashedFile(Path file) throws IOException {
        this.file = file;
        this.channel = FileChannel.open(file, StandardOpenOption.READ);
        this.lengthBytes = channel.size();
    }

    static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Reads what is left, for its digest alone. */
    void readAll() throws IOException {
        ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
        while (hashedBytes < lengthBytes) {
            read(hashedBytes, piece.clear().limit((int) Math.min(PIECE_BYTES, lengthBytes - hashedBytes)));
        }
    }

    /** The digest of the whole file as it was read, hexadecimal. The last call. */
    String sha256() {
        if (hashedBytes != lengthBytes) {
            throw new IllegalStateException(hashedBytes + " of " + lengthBytes + " bytes of " + file + " were read");
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public long lengthBytes() {
        return lengthBytes;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws IOException {
        if (offsetBytes != hashedBytes) {
            throw new IllegalStateException(file + " is read at " + offsetBytes + " after " + hashedBytes);
        }
        int start = target.position();
        while (target.hasRemaining()) {
            if (channel.read(target) < 0) {
                throw new EOFException(file + " became shorter");
            }
        }
        digest.update(target.duplicate().flip().position(start));
        hashedBytes += target.position() - start;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
