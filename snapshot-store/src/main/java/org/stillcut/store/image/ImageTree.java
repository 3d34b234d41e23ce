package org.stillcut.store.image;

import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.chunk.ChunkSource;
import org.stillcut.store.codec.ChunkCodec;

/** Goes through all chunks that an image consists of, without reading its content. Stateless. */
public final class ImageTree {

    private ImageTree() {}

    /** Is told of the chunks of an image, from the root down. */
    public interface Visitor {

        /** A chunk of the image's index; false when nothing below it is of interest, because it was seen before. Called before it is read. */
        boolean enter(ChunkId indexChunk) throws StoreException;

        /** A chunk with content of the image: the number of the entry that refers to it, and its length. */
        void content(ChunkId chunk, long entry, int lengthBytes) throws StoreException;

        /** A chunk of the index that cannot be read; the walk goes on beside it. Throws what should end the walk. */
        void unreadable(ChunkId indexChunk, StoreException cause) throws StoreException;
    }

    /** Visits the chunks of an image. Zero markers are not visited. Fails only with what the visitor throws. */
    public static void walk(ImageRef image, ChunkSource chunks, ChunkCodec codec, Visitor visitor)
            throws StoreException {
        if (!visitor.enter(image.root())) {
            return;
        }
        ImageIndex index;
        try {
            index = IndexPages.readRoot(chunks, image, codec);
        } catch (StoreException e) {
            visitor.unreadable(image.root(), e);
            return;
        }
        for (int page = 0; page < index.pageCount(); page++) {
            ChunkId id = index.page(page);
            if (!id.isZeroMarker() && visitor.enter(id)) {
                walkPage(index, page, chunks, codec, visitor);
            }
        }
    }

    private static void walkPage(ImageIndex index, int page, ChunkSource chunks, ChunkCodec codec, Visitor visitor)
            throws StoreException {
        byte[] ids;
        try {
            ids = IndexPages.readPage(chunks, index, page, codec);
        } catch (StoreException e) {
            visitor.unreadable(index.page(page), e);
            return;
        }
        for (int entry = 0; entry < ImageIndex.PAGE_ENTRIES; entry++) {
            ChunkId id = IndexPages.idAt(ids, entry);
            if (!id.isZeroMarker()) {
                visitor.content(id, (long) page * ImageIndex.PAGE_ENTRIES + entry, index.chunkSizeBytes());
            }
        }
    }
}
