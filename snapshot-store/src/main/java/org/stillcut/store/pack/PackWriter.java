package org.stillcut.store.pack;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreException;
import org.stillcut.store.codec.EncodedChunk;
import org.stillcut.store.io.BlockAppender;
import org.stillcut.store.io.BlockFile;
import org.stillcut.store.io.Frame;

/**
 * One pack while it is being written: under a temporary name that no reader looks at, until {@link #seal}. Thread-safe. A pack is not read again soon, so
 * it goes past the system's cache.
 */
public final class PackWriter implements AutoCloseable {

    private final PackDirectory directory;
    private final PackId id;
    private final BlockFile file;
    private final BlockAppender output;
    private final List<PackEntry> entries = new ArrayList<>();
    private boolean sealed;
    private boolean closed;

    private PackWriter(PackDirectory directory, PackId id, BlockFile file) {
        this.directory = directory;
        this.id = id;
        this.file = file;
        this.output = new BlockAppender(file);
    }

    /** Starts a pack. */
    public static PackWriter create(PackDirectory directory, PackId id) throws StoreException {
        BlockFile file = directory.files().createUncached(directory.temporaryPath(id));
        PackWriter writer = new PackWriter(directory, id, file);
        // A few bytes stay in memory: this does not fail.
        writer.output.put(PackFormat.header(id));
        return writer;
    }

    /** The pack's id. */
    public PackId id() {
        return id;
    }

    /** Appends a chunk; nothing is durable yet. After a failure only {@link #close} is allowed. */
    public synchronized PackEntry append(EncodedChunk chunk) throws StoreException {
        PackEntry entry = new PackEntry(
                chunk.id(),
                chunk.encoding(),
                output.lengthBytes(),
                chunk.stored().remaining(),
                chunk.rawLengthBytes());
        output.put(ByteBuffer.wrap(PackFormat.recordHeader(entry)));
        output.put(chunk.stored().duplicate());
        entries.add(entry);
        return entry;
    }

    /** Whether the pack should be sealed: it reached the target size, or a limit of the format. */
    public synchronized boolean isFull(long targetBytes) {
        return output.lengthBytes() >= Math.min(targetBytes, PackFormat.PACK_LIMIT_BYTES)
                || entries.size() >= PackFormat.ENTRY_LIMIT;
    }

    /** Reads back bytes that were appended; false when the pack was closed meanwhile, so that its chunks are found in the index. */
    public synchronized boolean read(long offsetBytes, ByteBuffer target) throws StoreException {
        if (closed) {
            return false;
        }
        output.read(offsetBytes, target);
        return true;
    }

    /**
     * Finishes the pack: when this returns, it is durable under its own name, and may be referred to.
     *
     * @return its chunks
     */
    public synchronized List<PackEntry> seal() throws StoreException {
        int count = entries.size();
        ByteBuffer footer =
                ByteBuffer.allocate(count * PackFormat.FOOTER_ENTRY_BYTES + PackFormat.TRAILER_CHECKED_BYTES);
        entries.forEach(entry -> PackFormat.putFooterEntry(footer, entry));
        footer.putLong(PackFormat.FOOTER_MAGIC).putInt(PackFormat.VERSION).putInt(count);
        id.writeTo(footer);
        byte[] digest = Frame.sha256(footer.array());
        output.put(footer.flip());
        output.put(ByteBuffer.wrap(digest));
        output.finish();
        directory.publish(id);
        sealed = true;
        return Collections.unmodifiableList(entries);
    }

    /** Releases the file; a pack that was not sealed is removed. May be repeated. */
    @Override
    public synchronized void close() throws StoreException {
        if (closed) {
            return;
        }
        closed = true;
        try (file) {
            if (!sealed) {
                directory.files().delete(directory.temporaryPath(id));
            }
        }
    }
}
