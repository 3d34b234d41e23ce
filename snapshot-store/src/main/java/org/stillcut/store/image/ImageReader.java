package org.stillcut.store.image;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.chunk.ChunkStore;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.codec.CodecPool;
import org.stillcut.store.work.TaskGroup;
import org.stillcut.store.work.WorkerPool;

/**
 * One stored image, to be read as a whole or at random. Thread-safe; holds nothing that has to be closed, and works until the repository is closed.
 *
 * <p>Every byte handed out was checked against the digest of its chunk.
 */
public final class ImageReader {

    /** Pages kept for random reads: 1 MiB, which covers 2 GiB of image in 64 KiB chunks. */
    private static final int CACHED_PAGES = 64;

    private final ChunkStore chunks;
    private final WorkerPool workers;
    private final ImageIndex index;
    private final PageCache pages = new PageCache();

    private ImageReader(ChunkStore chunks, WorkerPool workers, ImageIndex index) {
        this.chunks = chunks;
        this.workers = workers;
        this.index = index;
    }

    /** Reads the image's root. */
    public static ImageReader open(ChunkStore chunks, WorkerPool workers, ImageRef ref) throws StoreException {
        try (CodecPool.Lease lease = workers.codecs().borrow()) {
            return new ImageReader(chunks, workers, IndexPages.readRoot(chunks, ref, lease.codec()));
        }
    }

    /** The length of the image. */
    public long lengthBytes() {
        return index.lengthBytes();
    }

    /** The size of its chunks: what one random read costs at least. */
    public int chunkSizeBytes() {
        return index.chunkSizeBytes();
    }

    /**
     * Hands all chunks that are not zero to the sink, neighbours together, from the workers' threads. What is not handed over is zero.
     *
     * <p>Fails with {@code MissingChunkException}, {@code CorruptChunkException}, or {@code StoreIoException} when the sink fails; the sink may have
     * taken other chunks by then.
     */
    public void readTo(ImageSink sink) throws StoreException {
        try (TaskGroup group = workers.newGroup()) {
            for (int i = 0; i < index.pageCount(); i++) {
                int page = i;
                if (!index.page(page).isZeroMarker()) {
                    group.submit(codec -> new PageReader(chunks, index, page, codec).readTo(sink));
                }
            }
            group.await();
        }
    }

    /** Fills the remaining space of {@code target} with the image's bytes from {@code offsetBytes} on; they must lie within the image. */
    public void read(long offsetBytes, ByteBuffer target) throws StoreException {
        Objects.checkFromIndexSize(offsetBytes, target.remaining(), index.lengthBytes());
        int chunkSize = index.chunkSizeBytes();
        long offset = offsetBytes;
        try (CodecPool.Lease lease = workers.codecs().borrow()) {
            while (target.hasRemaining()) {
                int within = (int) (offset % chunkSize);
                int length = Math.min(target.remaining(), chunkSize - within);
                ChunkId id = chunkAt(offset / chunkSize, lease.codec());
                byte[] content = id.isZeroMarker()
                        ? new byte[chunkSize]
                        : whole(id, chunks.read(id, lease.codec()), lease.codec());
                target.put(content, within, length);
                offset += length;
            }
        }
    }

    /** A chunk of another length than the image's chunks can only be a split one. */
    private SplitChunk split(ChunkId id, byte[] raw, int rawLengthBytes) throws StoreException {
        byte[] bytes = Arrays.copyOf(raw, index.hasSplits() ? rawLengthBytes : 0);
        return SplitChunk.decode(bytes, index.chunkSizeBytes(), id);
    }

    private byte[] whole(ChunkId id, byte[] content, ChunkCodec codec) throws StoreException {
        if (content.length == index.chunkSizeBytes()) {
            return content;
        }
        byte[] joined = new byte[index.chunkSizeBytes()];
        split(id, content, content.length).read(chunks, codec, joined, joined.length);
        return joined;
    }

    private ChunkId chunkAt(long chunk, ChunkCodec codec) throws StoreException {
        int page = (int) (chunk / ImageIndex.PAGE_ENTRIES);
        byte @Nullable [] ids = pages.find(page);
        if (ids == null) {
            ids = IndexPages.readPage(chunks, index, page, codec);
            pages.put(page, ids);
        }
        return IndexPages.idAt(ids, (int) (chunk % ImageIndex.PAGE_ENTRIES));
    }

    /** The pages used last. */
    private static final class PageCache {

        private final Map<Integer, byte[]> entries = new LinkedHashMap<>(16, 0.75f, true);

        synchronized byte @Nullable [] find(int page) {
            return entries.get(page);
        }

        synchronized void put(int page, byte[] ids) {
            entries.put(page, ids);
            if (entries.size() > CACHED_PAGES) {
                entries.remove(entries.keySet().iterator().next());
            }
        }
    }
}
