package org.stillcut.store.codec;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import org.stillcut.store.ChunkId;

/**
 * Hash, compression and scratch memory of one thread. Holds native memory until closed; not thread-safe.
 *
 * <p>The contexts are closed by their owner, never by the garbage collector: a zstd context collected during a call is one of the suspects for a
 * crash of the JVM in our measurements.
 */
public final class ChunkCodec implements AutoCloseable {

    /** The longest chunk of any kind: data chunks have at most 1 MiB, the root of an image index may have 16. */
    public static final int CHUNK_LIMIT_BYTES = 16 << 20;

    private static final int ALIGNMENT_BYTES = 4096;

    private static final byte[] ZEROS = new byte[64 << 10];

    private final MessageDigest sha256;
    private final ZstdCompressCtx compressor;
    private final ZstdDecompressCtx decompressor;
    private byte[] compressed = new byte[0];
    private byte[] records = new byte[0];
    private byte[] raw = new byte[0];
    private ByteBuffer slices = ByteBuffer.allocate(0);

    /** Allocates the contexts. */
    public ChunkCodec(int zstdLevel) {
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        compressor = new ZstdCompressCtx();
        compressor.setLevel(zstdLevel);
        decompressor = new ZstdDecompressCtx();
    }

    /** Whether all these bytes are zero. */
    public static boolean isZero(byte[] data, int offset, int length) {
        for (int done = 0; done < length; done += ZEROS.length) {
            int piece = Math.min(ZEROS.length, length - done);
            if (!Arrays.equals(data, offset + done, offset + done + piece, ZEROS, 0, piece)) {
                return false;
            }
        }
        return true;
    }

    /** The id of a chunk with these bytes. */
    public ChunkId identify(byte[] data, int offset, int length) {
        sha256.update(data, offset, length);
        return ChunkId.of(sha256.digest());
    }

    /** Compresses the bytes where that makes them shorter. The result is valid until the next call. */
    public EncodedChunk encode(ChunkId id, byte[] data, int offset, int length) {
        int bound = (int) Zstd.compressBound(length);
        if (compressed.length < bound) {
            compressed = new byte[bound];
        }
        int size = compressor.compressByteArray(compressed, 0, bound, data, offset, length);
        return size < length
                ? new EncodedChunk(id, Encoding.ZSTD, length, ByteBuffer.wrap(compressed, 0, size))
                : new EncodedChunk(id, Encoding.RAW, length, ByteBuffer.wrap(data, offset, length));
    }

    /**
     * Restores the raw bytes into {@code target} from its start and checks them against the id.
     *
     * @return what is wrong with the stored bytes, or an empty string when the target holds the chunk
     */
    public String decode(EncodedChunk chunk, byte[] target) {
        ByteBuffer stored = chunk.stored();
        int storedLength = stored.remaining();
        byte[] source = stored.array();
        int offset = stored.arrayOffset() + stored.position();
        int length = chunk.rawLengthBytes();
        switch (chunk.encoding()) {
            case RAW -> {
                if (storedLength != length) {
                    return "raw chunk has " + storedLength + " bytes stored for " + length;
                }
                System.arraycopy(source, offset, target, 0, length);
            }
            case ZSTD -> {
                try {
                    int size = decompressor.decompressByteArray(target, 0, length, source, offset, storedLength);
                    if (size != length) {
                        return "decompresses to " + size + " bytes instead of " + length;
                    }
                } catch (ZstdException e) {
                    return "does not decompress: " + e.getMessage();
                }
            }
        }
        ChunkId found = identify(target, 0, length);
        return found.equals(chunk.id()) ? "" : "content has digest " + found;
    }

    /** Scratch memory for records read from a pack, at least this long; its content is lost with the next call. */
    public byte[] recordBuffer(int lengthBytes) {
        if (records.length < lengthBytes) {
            records = new byte[lengthBytes];
        }
        return records;
    }

    /** Scratch memory for one raw chunk, at least this long; its content is lost with the next call. */
    public byte[] rawBuffer(int lengthBytes) {
        if (raw.length < lengthBytes) {
            raw = new byte[lengthBytes];
        }
        return raw;
    }

    /** Scratch memory outside the heap for several chunks, aligned for uncached writing; its content is lost with the next call. */
    public ByteBuffer sliceBuffer(int lengthBytes) {
        if (slices.capacity() < lengthBytes) {
            slices = ByteBuffer.allocateDirect(lengthBytes + ALIGNMENT_BYTES).alignedSlice(ALIGNMENT_BYTES);
        }
        return slices.clear();
    }

    @Override
    public void close() {
        decompressor.close();
        compressor.close();
    }
}
