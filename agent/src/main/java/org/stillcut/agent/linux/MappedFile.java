package org.stillcut.agent.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file of any length mapped for reading, and shared with whoever writes it. The file must not shrink meanwhile. Thread-safe
 * until closed.
 */
public final class MappedFile implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;

    public MappedFile(Path file, long lengthBytes) throws IOException {
        boolean mapped = false;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (channel.size() < lengthBytes) {
                throw new IOException(file + " has " + channel.size() + " bytes instead of " + lengthBytes);
            }
            segment = channel.map(MapMode.READ_ONLY, 0, lengthBytes, arena);
            mapped = true;
        } finally {
            if (!mapped) {
                arena.close();
            }
        }
    }

    public long lengthBytes() {
        return segment.byteSize();
    }

    /** Copies a part of the file. */
    public void copyTo(long offsetBytes, MemoryBlock target, long targetOffsetBytes, long lengthBytes)
            throws IOException {
        try {
            MemorySegment.copy(segment, offsetBytes, target.segment(), targetOffsetBytes, lengthBytes);
        } catch (InternalError e) {
            // A SIGBUS of a mapped file, as the JDK (25) tells it: there was no memory for the page.
            throw new IOException("memory at offset " + offsetBytes + " of the file cannot be read", e);
        }
    }

    /** Fills the rest of a buffer from here. */
    public void read(long offsetBytes, ByteBuffer target) {
        target.put(segment.asSlice(offsetBytes, target.remaining()).asByteBuffer());
    }

    @Override
    public void close() {
        arena.close();
    }
}
