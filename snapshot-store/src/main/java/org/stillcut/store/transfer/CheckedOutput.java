package org.stillcut.store.transfer;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.stillcut.store.StoreException;
import org.stillcut.store.io.BlockAppender;
import org.stillcut.store.io.BlockFile;

/** Appends to a file and computes the digest of all. Not thread-safe. */
final class CheckedOutput {

    private final BlockAppender output;
    private final MessageDigest digest = newDigest();

    CheckedOutput(BlockFile file) {
        this.output = new BlockAppender(file);
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
        output.put(source);
    }

    void put(byte[] source) throws StoreException {
        put(ByteBuffer.wrap(source));
    }

    long lengthBytes() {
        return output.lengthBytes();
    }

    /** Appends the digest of all before and makes the file durable. */
    void finish() throws StoreException {
        output.put(ByteBuffer.wrap(digest.digest()));
        output.finish();
    }
}
