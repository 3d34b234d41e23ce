package org.stillcut.store.io;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;

/**
 * The frame around a small record: it tells a reader what the file is, which version, whether it is whole, before anything is parsed.
 *
 * <pre>
 *  offset  size  field (big-endian)
 *       0     8  magic, ASCII
 *       8     4  format version
 *      12     4  payload length n
 *      16    32  SHA-256 of the payload
 *      48     n  payload
 * </pre>
 *
 * @param magic eight ASCII characters
 * @param version the version written, and the newest that is read
 * @param limitBytes the longest payload that is written, or allocated when reading
 */
public record Frame(String magic, int version, int limitBytes) {

    private static final int HEADER_BYTES = 48;
    private static final int MAGIC_BYTES = 8;

    /** Checks the magic number. */
    public Frame {
        if (magic.length() != MAGIC_BYTES || limitBytes <= 0 || version <= 0) {
            throw new IllegalArgumentException("bad frame: " + magic + ", " + version + ", " + limitBytes);
        }
    }

    /** The whole file for this payload; a payload over the limit is the caller's error. */
    public byte[] wrap(byte[] payload) {
        if (payload.length > limitBytes) {
            throw new IllegalArgumentException(
                    magic + " payload of " + payload.length + " bytes is over the limit of " + limitBytes);
        }
        return ByteBuffer.allocate(HEADER_BYTES + payload.length)
                .put(magic.getBytes(StandardCharsets.US_ASCII))
                .putInt(version)
                .putInt(payload.length)
                .put(sha256(payload))
                .put(payload)
                .array();
    }

    /** Reads a whole file, allocating no more than the limit and the header. */
    public byte[] readFile(StoreFiles files, Path path) throws StoreException {
        try (BlockFile file = files.open(path)) {
            long length = file.lengthBytes();
            if (length > (long) HEADER_BYTES + limitBytes) {
                throw new StoreCorruptException(
                        Damage.OVERSIZED, path + " has " + length + " bytes, over the limit of " + limitBytes);
            }
            byte[] content = new byte[(int) length];
            file.read(0, ByteBuffer.wrap(content));
            return content;
        }
    }

    /**
     * The payload of a file with this frame.
     *
     * @param name names the file in errors
     */
    public byte[] unwrap(byte[] content, String name) throws StoreException {
        byte[] expectedMagic = magic.getBytes(StandardCharsets.US_ASCII);
        int comparable = Math.min(content.length, MAGIC_BYTES);
        if (!Arrays.equals(content, 0, comparable, expectedMagic, 0, comparable)) {
            throw new StoreCorruptException(Damage.FOREIGN_MAGIC, name + " does not begin with " + magic);
        }
        if (content.length < HEADER_BYTES) {
            throw new StoreCorruptException(Damage.SHORT, name + " has only " + content.length + " bytes");
        }
        ByteBuffer buffer = ByteBuffer.wrap(content).position(MAGIC_BYTES);
        int foundVersion = buffer.getInt();
        if (foundVersion != version) {
            throw new StoreFormatException(name, foundVersion, version);
        }
        int length = buffer.getInt();
        if (length < 0 || length > limitBytes) {
            throw new StoreCorruptException(
                    Damage.OVERSIZED,
                    name + " claims " + Integer.toUnsignedString(length) + " bytes, the limit is " + limitBytes);
        }
        if (content.length != HEADER_BYTES + length) {
            Damage damage = content.length < HEADER_BYTES + length ? Damage.SHORT : Damage.MALFORMED;
            throw new StoreCorruptException(
                    damage, name + " has " + content.length + " bytes, its frame says " + (HEADER_BYTES + length));
        }
        byte[] digest = new byte[32];
        buffer.get(digest);
        byte[] payload = Arrays.copyOfRange(content, HEADER_BYTES, content.length);
        if (!MessageDigest.isEqual(digest, sha256(payload))) {
            throw new StoreCorruptException(Damage.CHECKSUM, name + " does not match its checksum");
        }
        return payload;
    }

    /** The SHA-256 of these bytes. */
    public static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
