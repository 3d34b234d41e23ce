package org.stillcut.store.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.StoreException;

/**
 * A new file whose whole blocks are written past the system's cache (O_DIRECT). What does not fill a block, and all behind it, goes the ordinary way,
 * which the kernel keeps coherent with the other.
 */
final class UncachedBlockFile implements BlockFile {

    /** File systems with longer blocks get ordinary writes: nobody appends such pieces. */
    private static final long BLOCK_LIMIT_BYTES = 1 << 20;

    private final Path path;
    private final LocalBlockFile ordinary;
    private final FileChannel direct;
    private final int blockBytes;
    private long length;
    private boolean aligned = true;

    private UncachedBlockFile(Path path, LocalBlockFile ordinary, FileChannel direct, int blockBytes) {
        this.path = path;
        this.ordinary = ordinary;
        this.direct = direct;
        this.blockBytes = blockBytes;
    }

    /** The same new and empty file, written past the cache if its file system can do that. */
    static BlockFile over(Path path, LocalBlockFile ordinary) {
        try {
            long block = Files.getFileStore(path).getBlockSize();
            if (block <= 0 || block > BLOCK_LIMIT_BYTES || Long.bitCount(block) != 1) {
                return ordinary;
            }
            FileChannel direct = openDirect(path);
            return new UncachedBlockFile(path, ordinary, direct, (int) block);
        } catch (IOException | UnsupportedOperationException e) {
            // The file system cannot: everything works without, only with more work for the kernel.
            return ordinary;
        }
    }

    /** The file opened past the cache, or null where that cannot be done. */
    static @Nullable FileChannel openDirectOrNull(Path path) {
        try {
            return openDirect(path);
        } catch (IOException | UnsupportedOperationException e) {
            return null;
        }
    }

    /**
     * The JDK has no other way to O_DIRECT than an option of the supported module jdk.unsupported, of which javac (25) warns in a way that cannot be
     * suppressed in place: so it is named as text. This can go with the warning.
     */
    private static FileChannel openDirect(Path path) throws IOException {
        try {
            for (Object option :
                    Class.forName("com.sun.nio.file.ExtendedOpenOption").getEnumConstants()) {
                if (option instanceof OpenOption direct && option.toString().equals("DIRECT")) {
                    return FileChannel.open(path, StandardOpenOption.WRITE, direct);
                }
            }
        } catch (ClassNotFoundException e) {
            throw new UnsupportedOperationException("this JDK has no O_DIRECT", e);
        }
        throw new UnsupportedOperationException("this JDK has no O_DIRECT");
    }

    @Override
    public void append(ByteBuffer source) throws StoreException {
        // The JDK copies heap memory to where it should be, but refuses direct memory that is not aligned.
        boolean fits = !source.isDirect() || source.alignmentOffset(source.position(), blockBytes) == 0;
        int whole = aligned && fits ? source.remaining() / blockBytes * blockBytes : 0;
        if (whole > 0) {
            writeDirect(source, whole);
        }
        if (source.hasRemaining()) {
            appendOrdinary(source);
        }
    }

    private void writeDirect(ByteBuffer source, int whole) throws StoreException {
        int end = source.limit();
        source.limit(source.position() + whole);
        try {
            while (source.hasRemaining()) {
                length += direct.write(source, length);
                if (length % blockBytes != 0) {
                    // A disk that is nearly full may take a part.
                    aligned = false;
                    break;
                }
            }
        } catch (IOException e) {
            throw IoFailure.of("write", path, e);
        } finally {
            source.limit(end);
        }
    }

    private void appendOrdinary(ByteBuffer source) throws StoreException {
        aligned = false;
        int count = source.remaining();
        ordinary.append(length, source);
        length += count;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws StoreException {
        ordinary.read(offsetBytes, target);
    }

    @Override
    public long lengthBytes() throws StoreException {
        return ordinary.lengthBytes();
    }

    @Override
    public void force() throws StoreException {
        ordinary.force();
    }

    @Override
    public void close() throws StoreException {
        try (ordinary) {
            direct.close();
        } catch (IOException e) {
            throw IoFailure.of("close", path, e);
        }
    }
}
