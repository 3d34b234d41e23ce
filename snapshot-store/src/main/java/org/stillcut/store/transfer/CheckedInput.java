package org.stillcut.store.transfer;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.io.BlockFile;

/** Reads a file from its start in large pieces and computes the digest of what was read. Not thread-safe. */
final class CheckedInput {

    private static final int BUFFER_BYTES = 1 << 20;

    private final BlockFile file;
    private final String name;
    private final long fileLength;
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).limit(0);
    private final MessageDigest digest = CheckedOutput.newDigest();
    private long fetched;
    private long offset;

    CheckedInput(BlockFile file, String name) throws StoreException {
        this.file = file;
        this.name = name;
        this.fileLength = file.lengthBytes();
    }

    long offsetBytes() {
        return offset;
    }

    long fileLengthBytes() {
        return fileLength;
    }

    /** The next bytes; they count towards the digest. */
    ByteBuffer take(int length) throws StoreException {
        ByteBuffer taken = takeUnchecked(length);
        digest.update(taken.duplicate());
        return taken;
    }

    byte[] digest() {
        return digest.digest();
    }

    ByteBuffer takeUnchecked(int length) throws StoreException {
        if (length > fileLength - offset) {
            throw new StoreCorruptException(
                    Damage.SHORT, name + " has " + fileLength + " bytes, " + (offset + length) + " are needed");
        }
        ByteBuffer target = ByteBuffer.allocate(length);
        while (target.hasRemaining()) {
            if (!buffer.hasRemaining()) {
                fetch();
            }
            int piece = Math.min(target.remaining(), buffer.remaining());
            target.put(buffer.slice(buffer.position(), piece));
            buffer.position(buffer.position() + piece);
        }
        offset += length;
        return target.flip();
    }

    private void fetch() throws StoreException {
        buffer.position(0).limit((int) Math.min(BUFFER_BYTES, fileLength - fetched));
        file.read(fetched, buffer);
        fetched += buffer.position();
        buffer.flip();
    }
}
