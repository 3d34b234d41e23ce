package org.stillcut.agent.disk;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.linux.Deadline;

/**
 * Everything that changed on a disk in a row of frozen layers, and the bytes of it. Thread-safe; holds the layers' files
 * open until closed.
 */
public final class DiskChanges implements AutoCloseable {

    private static final byte[] ZEROS = new byte[JobDisk.CLUSTER_BYTES];

    private final Map<DiskLayer, FileChannel> files = new HashMap<>();
    private List<LayerExtent> extents = List.of();

    private DiskChanges() {}

    /**
     * Opens frozen layers.
     *
     * @param oldestFirst the layers in the order in which they were frozen; where two have the same byte, the newer one
     *     counts. An empty list means that nothing changed
     */
    public static DiskChanges open(List<DiskLayer> oldestFirst, CommandRunner commands, Duration deadline)
            throws DiskException, InterruptedException {
        DiskChanges changes = new DiskChanges();
        boolean opened = false;
        try {
            changes.read(oldestFirst.reversed(), new LayerMap(commands), Deadline.after(deadline));
            opened = true;
            return changes;
        } finally {
            if (!opened) {
                changes.close();
            }
        }
    }

    private void read(List<DiskLayer> newestFirst, LayerMap map, Deadline deadline)
            throws DiskException, InterruptedException {
        for (DiskLayer layer : newestFirst) {
            try {
                files.put(layer, FileChannel.open(layer.file(), StandardOpenOption.READ));
            } catch (IOException e) {
                throw new DiskException(layer.node(), layer.file() + " cannot be opened", e);
            }
            List<LayerExtent> older = map.read(layer, deadline.remaining()).stream()
                    .map(extent -> new LayerExtent(layer, extent))
                    .toList();
            extents = ExtentUnion.cover(extents, older);
        }
    }

    /** The changed parts of the disk, sorted by guest offset, not overlapping. */
    public List<LayerExtent> extents() {
        return List.copyOf(extents);
    }

    /** Number of bytes that changed and are not zero. */
    public long dataBytes() {
        return extents.stream()
                .map(LayerExtent::extent)
                .filter(extent -> extent.kind() == Extent.Kind.DATA)
                .mapToLong(Extent::lengthBytes)
                .sum();
    }

    /**
     * Fills the rest of a buffer with bytes of an extent.
     *
     * @param offsetBytes where to begin, counted from the extent's start; offset and buffer must lie within the extent
     */
    public void read(LayerExtent from, long offsetBytes, ByteBuffer buffer) throws DiskException {
        Extent extent = from.extent();
        if (offsetBytes < 0 || offsetBytes + buffer.remaining() > extent.lengthBytes()) {
            throw new IllegalArgumentException(
                    buffer.remaining() + " B at " + offsetBytes + " are not within " + extent);
        }
        switch (extent.kind()) {
            case ZERO -> {
                while (buffer.hasRemaining()) {
                    buffer.put(ZEROS, 0, Math.min(ZEROS.length, buffer.remaining()));
                }
            }
            case DATA -> readFile(from.layer(), extent.fileOffsetBytes() + offsetBytes, buffer);
        }
    }

    private void readFile(DiskLayer layer, long offsetBytes, ByteBuffer buffer) throws DiskException {
        FileChannel file = files.get(layer);
        if (file == null) {
            throw new IllegalArgumentException(layer.node() + " is not one of these changes");
        }
        long position = offsetBytes;
        try {
            while (buffer.hasRemaining()) {
                int n = file.read(buffer, position);
                if (n < 0) {
                    throw new EOFException("ends at " + position + ", before the extent does");
                }
                position += n;
            }
        } catch (IOException e) {
            throw new DiskException(layer.node(), "reading " + layer.file() + " failed at " + position, e);
        }
    }

    @Override
    public void close() throws DiskException {
        for (Map.Entry<DiskLayer, FileChannel> file : files.entrySet()) {
            try {
                file.getValue().close();
            } catch (IOException e) {
                throw new DiskException(file.getKey().node(), "closing its file failed", e);
            }
        }
    }
}
