package org.stillcut.agent.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.stillcut.agent.disk.DiskChanges;
import org.stillcut.agent.disk.DiskException;
import org.stillcut.agent.disk.LayerExtent;
import org.stillcut.store.ByteRange;
import org.stillcut.store.ImageRef;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageSource;

/** What changed on a disk, as a source for the store. */
final class DiskImage implements ImageSource {
    private final long lengthBytes;
    private final DiskChanges changes;
    private final TreeMap<Long, LayerExtent> extents = new TreeMap<>();

    DiskImage(long lengthBytes, DiskChanges changes) {
        this.lengthBytes = lengthBytes;
        this.changes = changes;
        changes.extents().forEach(extent -> extents.put(extent.extent().guestOffsetBytes(), extent));
    }

    /** The whole disk: the changes over what the store has of it, if it has anything. */
    ImageInput over(Optional<ImageRef> base) {
        List<ByteRange> ranges = extents.values().stream()
                .map(extent -> new ByteRange(
                        extent.extent().guestOffsetBytes(), extent.extent().lengthBytes()))
                .toList();
        return base.<ImageInput>map(stored -> new ImageInput.Overlay(this, stored, ranges))
                .orElseGet(() -> new ImageInput.Sparse(this, ranges, ImageInput.DEFAULT_CHUNK_SIZE_BYTES));
    }

    @Override
    public long lengthBytes() {
        return lengthBytes;
    }

    /** Only what was said to have changed can be read; a read may reach over several extents that touch. */
    @Override
    public void read(long offsetBytes, ByteBuffer target) throws IOException {
        long offset = offsetBytes;
        while (target.hasRemaining()) {
            Map.Entry<Long, LayerExtent> entry = extents.floorEntry(offset);
            if (entry == null || entry.getValue().extent().guestEndBytes() <= offset) {
                throw new IllegalArgumentException("disk offset " + offset + " has not changed");
            }
            LayerExtent extent = entry.getValue();
            long here = Math.min(extent.extent().guestEndBytes() - offset, target.remaining());
            ByteBuffer part = target.slice(target.position(), Math.toIntExact(here));
            try {
                changes.read(extent, offset - extent.extent().guestOffsetBytes(), part);
            } catch (DiskException e) {
                throw new IOException(e.getMessage(), e);
            }
            target.position(target.position() + Math.toIntExact(here));
            offset += here;
        }
    }
}
