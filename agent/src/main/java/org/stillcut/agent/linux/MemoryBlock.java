package org.stillcut.agent.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Memory outside of Java's heap, with its pages there from the beginning: the first touch of a page costs several times what
 * copying into it does. Used by one thread at a time; freed by {@link #close}.
 */
public final class MemoryBlock implements AutoCloseable {
    private static final long PAGE_BYTES = 4096;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment;

    /** Allocates and touches the memory. Throws {@link OutOfMemoryError} when the system refuses it. */
    public MemoryBlock(long lengthBytes) {
        MemorySegment allocated;
        try {
            // The JDK fills it with zeros, which is the first touch.
            allocated = arena.allocate(lengthBytes, PAGE_BYTES);
        } catch (OutOfMemoryError e) {
            arena.close();
            throw e;
        }
        segment = allocated;
    }

    public long lengthBytes() {
        return segment.byteSize();
    }

    /** Fills the rest of a buffer from here. */
    public void read(long offsetBytes, ByteBuffer target) {
        target.put(segment.asSlice(offsetBytes, target.remaining()).asByteBuffer());
    }

    /** Copies the rest of a buffer to the beginning. */
    public void write(ByteBuffer source) {
        MemorySegment.copy(MemorySegment.ofBuffer(source), 0, segment, 0, source.remaining());
        source.position(source.limit());
    }

    MemorySegment segment() {
        return segment;
    }

    @Override
    public void close() {
        arena.close();
    }
}
