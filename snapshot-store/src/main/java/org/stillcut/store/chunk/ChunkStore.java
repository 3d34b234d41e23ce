package org.stillcut.store.chunk;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.stillcut.store.ChunkId;
import org.stillcut.store.MissingChunkException;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.codec.EncodedChunk;
import org.stillcut.store.index.ChunkIndex;
import org.stillcut.store.index.IndexRefresh;
import org.stillcut.store.pack.PackFiles;
import org.stillcut.store.pack.PackRecord;

/** The chunks in the durable packs of a repository. Thread-safe; holds nothing that has to be closed. */
public final class ChunkStore implements ChunkSource {

    /** One access reads at most this much, unless a single record is longer. */
    private static final int SPAN_LIMIT_BYTES = 1 << 20;
    /** Reading over a gap of this size costs less than a second access. */
    private static final int GAP_LIMIT_BYTES = 32 << 10;
    /** As many chunks as an index page has. */
    private static final int LOOKUP_BATCH = 512;

    private static final Comparator<Located> BY_PLACE = Comparator.comparingLong(
                    (Located located) -> located.place.pack().high())
            .thenComparingLong(located -> located.place.pack().low())
            .thenComparingLong(located -> located.place.offsetBytes());

    private final ChunkIndex index;
    private final PackFiles packs;
    private final IndexRefresh refresh;

    /** Finds chunks by the index, which is refreshed when it does not know one. */
    public ChunkStore(ChunkIndex index, PackFiles packs, IndexRefresh refresh) {
        this.index = index;
        this.packs = packs;
        this.refresh = refresh;
    }

    /** Whether a durable pack that is not one of these has the chunk, as far as the index knows now. */
    public boolean isKnown(ChunkId chunk, Set<PackId> condemned) throws StoreException {
        return index.find(chunk)
                .filter(place -> !condemned.contains(place.pack()))
                .isPresent();
    }

    @Override
    public byte[] read(ChunkId chunk, ChunkCodec codec) throws StoreException {
        PackRecord place = locate(chunk);
        byte[] record = codec.recordBuffer(place.lengthBytes());
        ByteBuffer bytes = ByteBuffer.wrap(record, 0, place.lengthBytes());
        try {
            packs.read(place.pack(), place.offsetBytes(), bytes);
        } catch (StoreMissingException e) {
            // The pack was removed after its chunks were copied to another one: the index has to learn that first.
            refresh.run();
            place = locate(chunk);
            bytes = ByteBuffer.wrap(codec.recordBuffer(place.lengthBytes()), 0, place.lengthBytes());
            packs.read(place.pack(), place.offsetBytes(), bytes);
        }
        return Arrays.copyOf(place.decode(bytes.flip(), codec), place.rawLengthBytes());
    }

    @Override
    public int[] lengths(List<ChunkId> wanted) throws StoreException {
        int[] lengths = knownLengths(wanted);
        for (int i = 0; i < lengths.length; i++) {
            if (lengths[i] < 0 && !wanted.get(i).isZeroMarker()) {
                // Who decides by a length must not take a chunk of another node, not known here yet, for one that is
                // not there.
                refresh.run();
                return knownLengths(wanted);
            }
        }
        return lengths;
    }

    private int[] knownLengths(List<ChunkId> wanted) throws StoreException {
        return index.findAll(wanted).stream()
                .mapToInt(place -> place.map(PackRecord::rawLengthBytes).orElse(-1))
                .toArray();
    }

    /** How long the payloads of these chunks are, as far as the index knows them. */
    public long storedBytes(Collection<ChunkId> wanted) throws StoreException {
        long bytes = 0;
        List<ChunkId> all = List.copyOf(wanted);
        for (int first = 0; first < all.size(); first += LOOKUP_BATCH) {
            for (Optional<PackRecord> place :
                    index.findAll(all.subList(first, Math.min(all.size(), first + LOOKUP_BATCH)))) {
                bytes += place.map(PackRecord::storedLengthBytes).orElse(0);
            }
        }
        return bytes;
    }

    /**
     * Reads a chunk as it is stored, checked against its digest. What is returned is valid until the codec's next use. Fails as {@link #read}.
     */
    public EncodedChunk readEncoded(ChunkId chunk, ChunkCodec codec) throws StoreException {
        try {
            return readEncoded(locate(chunk), codec);
        } catch (MissingChunkException e) {
            throw e;
        } catch (StoreMissingException e) {
            refresh.run();
            return readEncoded(locate(chunk), codec);
        }
    }

    private EncodedChunk readEncoded(PackRecord place, ChunkCodec codec) throws StoreException {
        ByteBuffer bytes = ByteBuffer.wrap(codec.recordBuffer(place.lengthBytes()), 0, place.lengthBytes());
        packs.read(place.pack(), place.offsetBytes(), bytes);
        return place.decodeKeeping(bytes.flip(), codec);
    }

    /**
     * Reads many chunks in the order of their places, neighbours with one access, and hands each to the visitor. The same chunk may be asked for
     * more than once. Fails as {@link #read}, and with what the visitor throws.
     */
    public void readAll(List<ChunkRequest> requests, ChunkCodec codec, ChunkVisitor visitor) throws StoreException {
        List<Optional<PackRecord>> places =
                index.findAll(requests.stream().map(ChunkRequest::chunk).toList());
        List<Located> located = new ArrayList<>(requests.size());
        for (int i = 0; i < requests.size(); i++) {
            ChunkRequest request = requests.get(i);
            Optional<PackRecord> place = places.get(i);
            located.add(new Located(place.isPresent() ? place.get() : locate(request.chunk()), request.tag()));
        }
        located.sort(BY_PLACE);
        int first = 0;
        while (first < located.size()) {
            int end = spanEnd(located, first);
            readSpan(located.subList(first, end), codec, visitor);
            first = end;
        }
    }

    private PackRecord locate(ChunkId chunk) throws StoreException {
        Optional<PackRecord> place = index.find(chunk);
        if (place.isEmpty()) {
            refresh.run();
            place = index.find(chunk);
        }
        return place.orElseThrow(() -> new MissingChunkException(chunk));
    }

    private static int spanEnd(List<Located> located, int first) {
        PackRecord start = located.get(first).place;
        long endBytes = start.endBytes();
        int end = first + 1;
        while (end < located.size()) {
            PackRecord next = located.get(end).place;
            boolean near = next.pack().equals(start.pack())
                    && next.offsetBytes() - endBytes <= GAP_LIMIT_BYTES
                    && (next.endBytes() - start.offsetBytes() <= SPAN_LIMIT_BYTES || next.endBytes() <= endBytes);
            if (!near) {
                break;
            }
            endBytes = Math.max(endBytes, next.endBytes());
            end++;
        }
        return end;
    }

    private void readSpan(List<Located> span, ChunkCodec codec, ChunkVisitor visitor) throws StoreException {
        PackRecord start = span.getFirst().place;
        int length = (int) (span.getLast().place.endBytes() - start.offsetBytes());
        ByteBuffer bytes = ByteBuffer.wrap(codec.recordBuffer(length), 0, length);
        try {
            packs.read(start.pack(), start.offsetBytes(), bytes);
        } catch (StoreMissingException e) {
            for (Located located : span) {
                byte[] raw = read(located.place.chunk(), codec);
                visitor.accept(located.tag, raw, raw.length);
            }
            return;
        }
        for (int i = 0; i < span.size(); i++) {
            PackRecord place = span.get(i).place;
            bytes.position((int) (place.offsetBytes() - start.offsetBytes()));
            byte[] raw = place.decode(bytes, codec);
            visitor.accept(span.get(i).tag, raw, place.rawLengthBytes());
            // The same chunk again, as with pages of one pattern: it is decoded already.
            while (i + 1 < span.size() && span.get(i + 1).place.equals(place)) {
                i++;
                visitor.accept(span.get(i).tag, raw, place.rawLengthBytes());
            }
        }
    }

    /**
     * A chunk that is wanted.
     *
     * @param tag comes back with the chunk
     */
    public record ChunkRequest(ChunkId chunk, long tag) {}

    /** Takes chunks. */
    @FunctionalInterface
    public interface ChunkVisitor {

        /** Takes the chunk in the first {@code lengthBytes} of the array, which is valid during the call only. */
        void accept(long tag, byte[] raw, int lengthBytes) throws StoreException;
    }

    private record Located(PackRecord place, long tag) {}
}
