package org.stillcut.store.transfer;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.stillcut.store.StoreException;
import org.stillcut.store.io.BlockFile;

/** Appends to a file in large pieces and computes the digest of all. Not thread-safe. */
final class CheckedOutput {

    private static final int BUFFER_BYTES = 1 << 20;

    private final BlockFile file;
    private final ByteBuffer buffer =
            ByteBuffer.allocateDirect(BUFFER_BYTES + 4096).alignedSlice(4096).limit(BUFFER_BYTES);
    private final MessageDigest digest = newDigest();
    private long length;

    CheckedOutput(BlockFile file) {
        this.file = file;
    }

    static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    void put(ByteBuffer source) throws StoreException {
        digest.update(source.duplicate());
        length += source.remaining();
        putUnchecked(source);
    }

    void put(byte[] source) throws StoreException {
        put(ByteBuffer.wrap(source));
    }

    private void putUnchecked(ByteBuffer source) throws StoreException {
        while (source.hasRemaining()) {
            if (!buffer.hasRemaining()) {
                drain();
            }
            int piece = Math.min(source.remaining(), buffer.remaining());
            buffer.put(source.slice(source.position(), piece));
            source.position(source.position() + piece);
        }
    }

    long lengthBytes() {
        return length;
    }

    /** Appends the digest of all before and makes the file durable. */
    void finish() throws StoreException {
        putUnchecked(ByteBuffer.wrap(digest.digest()));
        drain();
        file.force();
    }

    private void drain() throws StoreException {
        buffer.flip();
        file.append(buffer);
        buffer.position(0).limit(BUFFER_BYTES);
    }
}
