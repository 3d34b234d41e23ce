package org.stillcut.store.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.stillcut.store.StoreIoException;

/** Joins neighbouring chunks on their way to a sink, since a file takes one long piece with less work than many short ones. Used by one thread. */
final class ChunkRun {

    private static final int LIMIT_BYTES = 1 << 20;

    private final ImageSink sink;
    private final ImageIndex index;
    private final byte[] buffer;
    private long firstChunk;
    private int count;

    ChunkRun(ImageSink sink, ImageIndex index) {
        this.sink = sink;
        this.index = index;
        this.buffer = new byte[Math.max(LIMIT_BYTES, index.chunkSizeBytes())];
    }

    void add(long chunk, byte[] raw) throws StoreIoException {
        int size = index.chunkSizeBytes();
        if (count > 0 && (chunk != firstChunk + count || (count + 1) * size > buffer.length)) {
            flush();
        }
        if (count == 0) {
            firstChunk = chunk;
        }
        System.arraycopy(raw, 0, buffer, count * size, size);
        count++;
    }

    void flush() throws StoreIoException {
        if (count == 0) {
            return;
        }
        long offsetBytes = firstChunk * index.chunkSizeBytes();
        long length = Math.min((long) count * index.chunkSizeBytes(), index.lengthBytes() - offsetBytes);
        count = 0;
        try {
            sink.accept(offsetBytes, ByteBuffer.wrap(buffer, 0, (int) length).asReadOnlyBuffer());
        } catch (IOException e) {
            throw new StoreIoException("the image sink failed at offset " + offsetBytes, e);
        }
    }
}
