package org.stillcut.store.image;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
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

        /**
         * A chunk of the image's index; false when nothing below it is of interest, because it was seen before. Called before it is read.
         *
         * @param level 0 for the root, 1 for a page, 2 for a split chunk of the page entered last
         */
        boolean enter(ChunkId indexChunk, int level) throws StoreException;

        /** A chunk with content of the image, and the length that it should have; belongs to the part of the index that was entered last. */
        void content(ChunkId chunk, int lengthBytes) throws StoreException;

        /** A chunk of the index that cannot be read; the walk goes on beside it. Throws what should end the walk. */
        void unreadable(ChunkId indexChunk, StoreException cause) throws StoreException;
    }

    /**
     * All chunks of images, those of their indexes included, in the order in which a restore would ask for them. Fails when a part of an index cannot be
     * read; whether chunks with content are there is not looked at. Takes about 80 bytes for each.
     */
    public static Set<ChunkId> allChunks(Collection<ImageRef> images, ChunkSource chunks, ChunkCodec codec)
            throws StoreException {
        Set<ChunkId> all = new LinkedHashSet<>();
        Set<ChunkId> walked = new HashSet<>();
        for (ImageRef image : images) {
            walk(image, chunks, codec, new Visitor() {
                @Override
                public boolean enter(ChunkId indexChunk, int level) {
                    all.add(indexChunk);
                    // A chunk of content may happen to be the same as a part of an index.
                    return walked.add(indexChunk);
                }

                @Override
                public void content(ChunkId chunk, int lengthBytes) {
                    all.add(chunk);
                }

                @Override
                public void unreadable(ChunkId indexChunk, StoreException cause) throws StoreException {
                    throw cause;
                }
            });
        }
        return all;
    }

    /** Visits the chunks of an image. Zero markers are not visited. Fails only with what the visitor throws. */
    public static void walk(ImageRef image, ChunkSource chunks, ChunkCodec codec, Visitor visitor)
            throws StoreException {
        if (!visitor.enter(image.root(), 0)) {
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
            if (!id.isZeroMarker() && visitor.enter(id, 1)) {
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
        List<ChunkId> entries = new ArrayList<>();
        for (int entry = 0; entry < ImageIndex.PAGE_ENTRIES; entry++) {
            entries.add(IndexPages.idAt(ids, entry));
        }
        int[] lengths = index.hasSplits() ? chunks.lengths(entries) : new int[0];
        for (int entry = 0; entry < entries.size(); entry++) {
            ChunkId id = entries.get(entry);
            boolean whole = lengths.length == 0 || lengths[entry] < 0 || lengths[entry] == index.chunkSizeBytes();
            if (!id.isZeroMarker() && whole) {
                visitor.content(id, index.chunkSizeBytes());
            }
        }
        for (int entry = 0; entry < lengths.length; entry++) {
            ChunkId id = entries.get(entry);
            boolean split = lengths[entry] >= 0 && lengths[entry] != index.chunkSizeBytes();
            if (!id.isZeroMarker() && split && visitor.enter(id, 2)) {
                walkSplit(id, index.chunkSizeBytes(), chunks, codec, visitor);
            }
        }
    }

    private static void walkSplit(ChunkId id, int chunkSizeBytes, ChunkSource chunks, ChunkCodec codec, Visitor visitor)
            throws StoreException {
        SplitChunk split;
        try {
            split = SplitChunk.decode(chunks.read(id, codec), chunkSizeBytes, id);
        } catch (StoreException e) {
            visitor.unreadable(id, e);
            return;
        }
        if (!split.base().isZeroMarker()) {
            visitor.content(split.base(), chunkSizeBytes);
        }
        for (ChunkId page : split.pages()) {
            if (!page.isZeroMarker()) {
                visitor.content(page, SplitChunk.PAGE_BYTES);
            }
        }
    }
}
