package org.stillcut.store.chunk;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.ChunkId;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreException;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.codec.EncodedChunk;
import org.stillcut.store.index.ChunkIndex;
import org.stillcut.store.pack.PackDirectory;
import org.stillcut.store.pack.PackEntry;
import org.stillcut.store.pack.PackRecord;
import org.stillcut.store.pack.PackWriter;

/**
 * Chunks on their way into packs, for one snapshot. {@link #store} and the reads are thread-safe; {@link #flush} and {@link #close} belong to the
 * owner, when nothing else runs.
 *
 * <p>The order that keeps the repository sound: a pack is durable under its name, then its chunks enter the index, then they leave the pending
 * ones. So each chunk is always found in one of the two, and the index never knows a chunk that a power cut could take away.
 *
 * <p>After a failure only {@link #close} is allowed; packs that were sealed before stay, as chunks that a next attempt finds known.
 */
public final class ChunkSession implements ChunkSource, AutoCloseable {

    private final ChunkStore durable;
    private final ChunkIndex index;
    private final PackDirectory packs;
    private final RandomGenerator random;
    private final Set<PackId> condemned;
    private final long packTargetBytes;

    /** Chunks that are in no durable pack yet. Bounded by the chunks of one pack for each worker, since a full pack is sealed at once. */
    private final ConcurrentMap<ChunkId, Pending> pending = new ConcurrentHashMap<>();

    private final Object packLock = new Object();
    /** Guarded by packLock. */
    private @Nullable PackWriter current;
    /** The current pack and those being sealed; guarded by packLock. */
    private final Set<PackWriter> unfinished = new HashSet<>();

    /**
     * Begins a session; nothing is written before the first chunk.
     *
     * @param condemned packs that a prune is about to remove: what they have is stored anew
     */
    public ChunkSession(
            ChunkStore durable,
            ChunkIndex index,
            PackDirectory packs,
            RandomGenerator random,
            Set<PackId> condemned,
            long packTargetBytes) {
        this.durable = durable;
        this.condemned = condemned;
        this.index = index;
        this.packs = packs;
        this.random = random;
        this.packTargetBytes = packTargetBytes;
    }

    /** A chunk that one worker has claimed; its place is set when it is appended. */
    private static final class Pending {
        private volatile @Nullable PackWriter writer;
        private volatile @Nullable PackRecord place;
    }

    /**
     * Stores these bytes as one chunk, unless they are zeros or a known chunk. Not durable before {@link #flush}.
     *
     * @return the chunk's id, or the zero marker
     */
    public ChunkId store(byte[] data, int offset, int length, ChunkCodec codec, ChunkTally tally)
            throws StoreException {
        if (ChunkCodec.isZero(data, offset, length)) {
            tally.countZero();
            return ChunkId.ZERO;
        }
        ChunkId id = codec.identify(data, offset, length);
        Pending claim = new Pending();
        // First the pending ones: a chunk leaves them after it entered the index.
        if (pending.containsKey(id) || durable.isKnown(id, condemned) || pending.putIfAbsent(id, claim) != null) {
            tally.countKnown();
            return id;
        }
        long bytes = append(codec.encode(id, data, offset, length), claim);
        tally.countNew(bytes);
        return id;
    }

    /** When this returns, all chunks stored so far are in durable packs and in the index. */
    public void flush() throws StoreException {
        @Nullable PackWriter last;
        synchronized (packLock) {
            last = current;
            current = null;
        }
        if (last != null) {
            seal(last);
        }
    }

    @Override
    public byte[] read(ChunkId chunk, ChunkCodec codec) throws StoreException {
        Optional<byte[]> found = readPending(chunk, codec);
        return found.isPresent() ? found.get() : durable.read(chunk, codec);
    }

    @Override
    public int[] lengths(List<ChunkId> chunks) throws StoreException {
        int[] lengths = new int[chunks.size()];
        List<Integer> elsewhere = new ArrayList<>();
        for (int i = 0; i < lengths.length; i++) {
            Pending found = pending.get(chunks.get(i));
            PackRecord place = found == null ? null : found.place;
            if (place == null) {
                elsewhere.add(i);
            } else {
                lengths[i] = place.rawLengthBytes();
            }
        }
        // Later, since a chunk leaves the pending ones after it entered the index.
        int[] known = durable.lengths(elsewhere.stream().map(chunks::get).toList());
        for (int i = 0; i < known.length; i++) {
            lengths[elsewhere.get(i)] = known[i];
        }
        return lengths;
    }

    /** Gives up the packs that are not sealed. May be repeated. */
    @Override
    public void close() throws StoreException {
        List<PackWriter> left;
        synchronized (packLock) {
            left = List.copyOf(unfinished);
            unfinished.clear();
            current = null;
        }
        @Nullable StoreException failure = null;
        for (PackWriter writer : left) {
            try {
                writer.close();
            } catch (StoreException e) {
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private long append(EncodedChunk chunk, Pending claim) throws StoreException {
        @Nullable PackWriter full = null;
        PackRecord place;
        synchronized (packLock) {
            PackWriter writer = currentPack();
            place = PackRecord.of(writer.id(), writer.append(chunk));
            claim.writer = writer;
            claim.place = place;
            if (writer.isFull(packTargetBytes)) {
                full = writer;
                current = null;
            }
        }
        if (full != null) {
            // Outside the lock: the others go on with the next pack during the fsync.
            seal(full);
        }
        return place.lengthBytes();
    }

    private PackWriter currentPack() throws StoreException {
        PackWriter writer = current;
        if (writer == null) {
            writer = PackWriter.create(packs, PackId.random(random));
            unfinished.add(writer);
            current = writer;
        }
        return writer;
    }

    private void seal(PackWriter writer) throws StoreException {
        List<PackEntry> entries = writer.seal();
        index.absorb(writer.id(), entries);
        entries.forEach(entry -> pending.remove(entry.chunk()));
        synchronized (packLock) {
            unfinished.remove(writer);
        }
        writer.close();
    }

    private Optional<byte[]> readPending(ChunkId chunk, ChunkCodec codec) throws StoreException {
        @Nullable Pending found = pending.get(chunk);
        if (found == null) {
            return Optional.empty();
        }
        PackWriter writer = found.writer;
        PackRecord place = found.place;
        if (writer == null || place == null) {
            throw new IllegalStateException("chunk " + chunk + " is read before it is stored");
        }
        ByteBuffer bytes = ByteBuffer.wrap(codec.recordBuffer(place.lengthBytes()), 0, place.lengthBytes());
        if (!writer.read(place.offsetBytes(), bytes)) {
            return Optional.empty();
        }
        return Optional.of(Arrays.copyOf(place.decode(bytes.flip(), codec), place.rawLengthBytes()));
    }
}
