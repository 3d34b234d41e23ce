package org.stillcut.store.image;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.ByteRange;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreIoException;
import org.stillcut.store.chunk.ChunkSource;
import org.stillcut.store.codec.CodecPool;

/**
 * Gives the content of the chunks that an input changes: from the source and, where that has only a part of a chunk, from the base. Used by one
 * thread, which asks for pages and chunks in ascending order.
 */
final class ChunkFiller {

    private final ImageSource source;
    private final boolean sourceIsWhole;
    private final @Nullable ImageIndex base;
    private final ImageIndex target;
    private final ChunkSource chunks;
    private final CodecPool codecs;

    /** What changed in the source, or all that the source has; in order, apart from each other, within the image. */
    private final List<ByteRange> ranges;

    /** The base's ids for the page in hand. */
    private byte[] pageIds = new byte[0];

    private long bytesRead;

    private ChunkFiller(Plan plan, @Nullable ImageIndex base, ChunkSource chunks, CodecPool codecs) {
        this.source = plan.source;
        this.sourceIsWhole = plan.sourceIsWhole;
        this.base = base;
        this.chunks = chunks;
        this.codecs = codecs;
        long length = source.lengthBytes();
        this.target = base == null ? ImageIndex.zeros(plan.chunkSizeBytes, length) : base.withLength(length);
        this.ranges = RangeSet.normalize(plan.ranges, length);
    }

    /** The input's four kinds, brought to one form; the chunk size matters only without a base. */
    private record Plan(
            ImageSource source,
            boolean sourceIsWhole,
            Optional<ImageRef> base,
            List<ByteRange> ranges,
            int chunkSizeBytes) {

        static Plan of(ImageInput input) {
            return switch (input) {
                case ImageInput.Full(ImageSource source, int chunkSize) ->
                    new Plan(source, true, Optional.empty(), whole(source), chunkSize);
                case ImageInput.Dirty(ImageSource source, ImageRef base, List<ByteRange> changed) ->
                    new Plan(source, true, Optional.of(base), changed, 0);
                case ImageInput.Sparse(ImageSource source, List<ByteRange> present, int chunkSize) ->
                    new Plan(source, false, Optional.empty(), present, chunkSize);
                case ImageInput.Overlay(ImageSource source, ImageRef base, List<ByteRange> present) ->
                    new Plan(source, false, Optional.of(base), present, 0);
            };
        }

        private static List<ByteRange> whole(ImageSource source) {
            long length = source.lengthBytes();
            return length == 0 ? List.of() : List.of(new ByteRange(0, length));
        }
    }

    static ChunkFiller open(ImageInput input, ChunkSource chunks, CodecPool codecs) throws StoreException {
        Plan plan = Plan.of(input);
        if (plan.base.isEmpty()) {
            return new ChunkFiller(plan, null, chunks, codecs);
        }
        try (CodecPool.Lease lease = codecs.borrow()) {
            ImageIndex base = IndexPages.readRoot(chunks, plan.base.get(), lease.codec());
            return new ChunkFiller(plan, base, chunks, codecs);
        }
    }

    /** The index of the new image; pages that are not set anew are the base's. */
    ImageIndex target() {
        return target;
    }

    /**
     * What has to be written anew. Over a base, chunks with few changed pages are told apart; where the source has only a part of a page, the chunk is
     * written as a whole.
     */
    DirtyChunks dirtyChunks() {
        List<ByteRange> changed = new ArrayList<>(ranges);
        if (base != null && target.lengthBytes() < base.lengthBytes() && target.lengthBytes() > 0) {
            // The image shrank: its last chunk and last page still hold what was behind the new end.
            changed.add(new ByteRange(target.lengthBytes() - 1, 1));
        }
        List<ByteRange> normalized = RangeSet.normalize(changed, target.lengthBytes());
        boolean divisible = base != null && SplitChunk.suits(target.chunkSizeBytes());
        return divisible
                ? DirtyChunks.divide(normalized, sourceIsWhole, target.chunkSizeBytes(), target.lengthBytes())
                : DirtyChunks.whole(normalized, target.chunkSizeBytes());
    }

    /** Puts the content of these pages of a chunk into the buffer from the position on, one behind the other. */
    void fillPages(DirtyChunks.FewPages chunk, byte[] buffer, int position) throws StoreException {
        int at = position;
        for (long left = chunk.mask(); left != 0; left &= left - 1) {
            long page = Long.numberOfTrailingZeros(left);
            readSource(chunk.offsetBytes() + page * SplitChunk.PAGE_BYTES, buffer, at, SplitChunk.PAGE_BYTES);
            at += SplitChunk.PAGE_BYTES;
        }
    }

    /** Puts the content of one whole chunk, which is not the last, into the buffer from its start. */
    void fillChunk(long chunkOffset, byte[] buffer) throws StoreException {
        if (sourceIsWhole) {
            readSource(chunkOffset, buffer, 0, target.chunkSizeBytes());
        } else {
            fillChunk(chunkOffset, buffer, 0);
        }
    }

    /** A split chunk of the base. */
    SplitChunk readSplit(ChunkId id) throws StoreException {
        try (CodecPool.Lease lease = codecs.borrow()) {
            return SplitChunk.decode(chunks.read(id, lease.codec()), target.chunkSizeBytes(), id);
        }
    }

    /** Whether the base may have split chunks. */
    boolean baseHasSplits() {
        return base != null && base.hasSplits();
    }

    /** The base's id of this chunk, which belongs to the page in hand. */
    ChunkId baseChunk(long chunkOffset) {
        return IndexPages.idAt(pageIds, (int) (chunkOffset / target.chunkSizeBytes() % ImageIndex.PAGE_ENTRIES));
    }

    /** The ids of this page as the base has them, in an array of the caller's own; the chunks filled next belong to this page. */
    byte[] basePage(int page) throws StoreException {
        if (base == null || page >= base.pageCount()) {
            pageIds = new byte[ImageIndex.PAGE_BYTES];
        } else {
            try (CodecPool.Lease lease = codecs.borrow()) {
                pageIds = IndexPages.readPage(chunks, base, page, lease.codec());
            }
        }
        byte[] ids = pageIds.clone();
        long entries = target.chunkCount() - (long) page * ImageIndex.PAGE_ENTRIES;
        if (entries < ImageIndex.PAGE_ENTRIES) {
            Arrays.fill(ids, (int) entries * ChunkId.LENGTH_BYTES, ids.length, (byte) 0);
        }
        return ids;
    }

    /** Puts the content of these whole chunks into the buffer from its start, zeros behind the image's end. */
    void fill(ByteRange batch, byte[] buffer) throws StoreException {
        if (sourceIsWhole) {
            int length = (int) (Math.min(batch.endBytes(), target.lengthBytes()) - batch.offsetBytes());
            readSource(batch.offsetBytes(), buffer, 0, length);
            Arrays.fill(buffer, length, (int) batch.lengthBytes(), (byte) 0);
            return;
        }
        int chunkSize = target.chunkSizeBytes();
        for (int position = 0; position < batch.lengthBytes(); position += chunkSize) {
            fillChunk(batch.offsetBytes() + position, buffer, position);
        }
    }

    long bytesRead() {
        return bytesRead;
    }

    private void fillChunk(long chunkOffset, byte[] buffer, int position) throws StoreException {
        int chunkSize = target.chunkSizeBytes();
        long end = Math.min(chunkOffset + chunkSize, target.lengthBytes());
        int first = firstRangeEndingAfter(chunkOffset);
        boolean covered = first < ranges.size()
                && ranges.get(first).offsetBytes() <= chunkOffset
                && ranges.get(first).endBytes() >= end;
        if (!covered) {
            fillFromBase(chunkOffset, buffer, position);
        }
        for (int i = first; i < ranges.size() && ranges.get(i).offsetBytes() < end; i++) {
            long from = Math.max(ranges.get(i).offsetBytes(), chunkOffset);
            int length = (int) (Math.min(ranges.get(i).endBytes(), end) - from);
            readSource(from, buffer, position + (int) (from - chunkOffset), length);
        }
        Arrays.fill(buffer, position + (int) (end - chunkOffset), position + chunkSize, (byte) 0);
    }

    private int firstRangeEndingAfter(long offsetBytes) {
        int low = 0;
        int high = ranges.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (ranges.get(middle).endBytes() <= offsetBytes) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private void fillFromBase(long chunkOffset, byte[] buffer, int position) throws StoreException {
        int chunkSize = target.chunkSizeBytes();
        ChunkId id = IndexPages.idAt(pageIds, (int) (chunkOffset / chunkSize % ImageIndex.PAGE_ENTRIES));
        if (id.isZeroMarker()) {
            Arrays.fill(buffer, position, position + chunkSize, (byte) 0);
            return;
        }
        try (CodecPool.Lease lease = codecs.borrow()) {
            byte[] content = chunks.read(id, lease.codec());
            if (content.length != chunkSize) {
                byte[] joined = new byte[chunkSize];
                SplitChunk.decode(content, chunkSize, id).read(chunks, lease.codec(), joined, chunkSize);
                content = joined;
            }
            System.arraycopy(content, 0, buffer, position, chunkSize);
        }
    }

    private void readSource(long offsetBytes, byte[] buffer, int position, int length) throws StoreException {
        ByteBuffer destination = ByteBuffer.wrap(buffer, position, length);
        try {
            source.read(offsetBytes, destination);
        } catch (IOException e) {
            throw new StoreIoException("cannot read the image source at offset " + offsetBytes, e);
        }
        if (destination.hasRemaining()) {
            throw new StoreIoException(
                    "the image source gave " + (length - destination.remaining()) + " of " + length
                            + " bytes at offset " + offsetBytes,
                    null);
        }
        bytesRead += length;
    }
}
