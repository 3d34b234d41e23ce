package org.stillcut.store.image;

import java.nio.ByteBuffer;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.chunk.ChunkSource;
import org.stillcut.store.codec.ChunkCodec;

/** Reads the index of an image from its chunks. Stateless. */
final class IndexPages {

    private IndexPages() {}

    static ImageIndex readRoot(ChunkSource chunks, ImageRef ref, ChunkCodec codec) throws StoreException {
        return ImageIndex.decode(chunks.read(ref.root(), codec), ref);
    }

    /** The ids of one page, 512 of 32 bytes. */
    static byte[] readPage(ChunkSource chunks, ImageIndex index, int page, ChunkCodec codec) throws StoreException {
        ChunkId id = index.page(page);
        if (id.isZeroMarker()) {
            return new byte[ImageIndex.PAGE_BYTES];
        }
        byte[] ids = chunks.read(id, codec);
        if (ids.length != ImageIndex.PAGE_BYTES) {
            throw new StoreCorruptException(Damage.MALFORMED, "index page " + id + " has " + ids.length + " bytes");
        }
        return ids;
    }

    /** The id at this place of a page. */
    static ChunkId idAt(byte[] page, int entry) {
        return ChunkId.readFrom(ByteBuffer.wrap(page, entry * ChunkId.LENGTH_BYTES, ChunkId.LENGTH_BYTES));
    }
}
