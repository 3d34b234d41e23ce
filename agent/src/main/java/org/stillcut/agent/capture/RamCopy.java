package org.stillcut.agent.capture;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import org.stillcut.agent.linux.DataRanges;
import org.stillcut.store.ByteRange;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageSource;

/**
 * A second copy of a VM's RAM, in memory, taken while the VM is paused and stored while it runs on. Costs as much tmpfs as the
 * guest has RAM in use. The copy is kept from one checkpoint to the next, as pages that were used once are copied several times
 * faster than fresh ones.
 *
 * <p>Used by one thread at a time. The RAM file must not shrink while this is open.
 */
public final class RamCopy implements AutoCloseable {
    /** What is copied between two looks at whether the checkpoint was given up: some milliseconds' worth. */
    private static final long SLICE_BYTES = 64L << 20;

    private final Arena arena = Arena.ofShared();
    private final Path ram;
    private final MemorySegment source;
    private final MemorySegment copy;
    private List<ByteRange> ranges = List.of();

    /**
     * Makes an empty copy.
     *
     * @param ram the file that is the guest's RAM
     * @param copy file to make for the copy, on a tmpfs as well
     */
    public RamCopy(Path ram, Path copy, long lengthBytes) throws IOException {
        this.ram = ram;
        boolean mapped = false;
        try (FileChannel from = FileChannel.open(ram, StandardOpenOption.READ);
                FileChannel to = FileChannel.open(
                        copy,
                        Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE),
                        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            this.source = from.map(MapMode.READ_ONLY, 0, lengthBytes, arena);
            this.copy = to.map(MapMode.READ_WRITE, 0, lengthBytes, arena);
            mapped = true;
        } finally {
            if (!mapped) {
                arena.close();
            }
        }
    }

    /**
     * Copies all RAM that the guest has ever used. Taken of a running VM the copy is worth nothing by itself, but it makes the
     * next one fast.
     */
    public void take() throws IOException, InterruptedException {
        ranges = DataRanges.of(ram).stream()
                .map(range -> new ByteRange(range.offsetBytes(), range.lengthBytes()))
                .toList();
        try {
            for (ByteRange range : ranges) {
                copy(range);
            }
        } catch (InternalError e) {
            // A SIGBUS of a mapped file, as the JDK (25) tells it: a page of the copy could not be had.
            throw new IOException("the tmpfs of " + ram + " has no room for a copy of the RAM", e);
        }
    }

    private void copy(ByteRange range) throws InterruptedException {
        long end = range.offsetBytes() + range.lengthBytes();
        for (long offset = range.offsetBytes(); offset < end; offset += SLICE_BYTES) {
            if (Thread.interrupted()) {
                throw new InterruptedException("interrupted while RAM was copied");
            }
            MemorySegment.copy(source, offset, copy, offset, Math.min(SLICE_BYTES, end - offset));
        }
    }

    /** The copy, for the store; valid until the next {@link #take} or {@link #close}. */
    ImageInput image() {
        return new ImageInput.Sparse(new Source(), ranges, ImageInput.DEFAULT_CHUNK_SIZE_BYTES);
    }

    @Override
    public void close() {
        arena.close();
    }

    private final class Source implements ImageSource {
        @Override
        public long lengthBytes() {
            return copy.byteSize();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) {
            target.put(copy.asSlice(offsetBytes, target.remaining()).asByteBuffer());
        }
    }
}
