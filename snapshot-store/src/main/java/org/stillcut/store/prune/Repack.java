package org.stillcut.store.prune;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.store.CorruptChunkException;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.codec.CodecPool;
import org.stillcut.store.codec.EncodedChunk;
import org.stillcut.store.io.BlockFile;
import org.stillcut.store.pack.PackEntry;
import org.stillcut.store.pack.PackRecord;
import org.stillcut.store.pack.PackWriter;
import org.stillcut.store.progress.Progress;

/** Copies what is needed of packs that go into new ones, as it is stored; each chunk is checked on the way. Used by one thread, once. */
final class Repack {

    private static final Logger log = LoggerFactory.getLogger(Repack.class);

    private final Prune.Parts parts;
    private final Progress progress;
    private int packsWritten;
    private long bytesWritten;
    private @Nullable PackWriter current;

    Repack(Prune.Parts parts, Progress progress) {
        this.parts = parts;
        this.progress = progress;
    }

    int packsWritten() {
        return packsWritten;
    }

    long bytesWritten() {
        return bytesWritten;
    }

    /** Returns the packs of which everything needed is durable elsewhere; a damaged one is not among them. */
    List<PackId> run(List<PackPlan> plans) throws StoreException {
        progress.begin(
                "copy what is needed",
                plans.stream().mapToLong(PackPlan::neededBytes).sum());
        Set<PackId> copied = new LinkedHashSet<>();
        try (CodecPool.Lease lease = parts.codecs().borrow()) {
            for (PackPlan plan : plans) {
                if (copy(plan, lease.codec())) {
                    copied.add(plan.pack());
                }
            }
            seal();
        } finally {
            PackWriter left = current;
            current = null;
            if (left != null) {
                left.close();
            }
        }
        return new ArrayList<>(copied);
    }

    private boolean copy(PackPlan plan, ChunkCodec codec) throws StoreException {
        if (plan.needed().isEmpty()) {
            return true;
        }
        try (BlockFile file = parts.packs().open(plan.pack())) {
            for (PackEntry entry : plan.needed()) {
                PackRecord place = PackRecord.of(plan.pack(), entry);
                ByteBuffer record = ByteBuffer.wrap(codec.recordBuffer(place.lengthBytes()), 0, place.lengthBytes());
                file.read(place.offsetBytes(), record);
                place.decode(record.flip(), codec);
                append(entry, record);
                progress.advance(place.lengthBytes());
            }
            return true;
        } catch (CorruptChunkException e) {
            log.error(
                    "pack {} stays, because a chunk that is needed is damaged in it: {}", plan.pack(), e.getMessage());
        } catch (StoreCorruptException e) {
            log.error("pack {} stays, because it is damaged: {}", plan.pack(), e.getMessage());
        }
        return false;
    }

    private void append(PackEntry entry, ByteBuffer record) throws StoreException {
        byte[] stored = new byte[entry.storedLengthBytes()];
        record.get(record.limit() - stored.length, stored);
        PackWriter writer = current;
        if (writer == null) {
            writer = PackWriter.create(parts.packs(), PackId.random(parts.random()));
            current = writer;
        }
        writer.append(
                new EncodedChunk(entry.chunk(), entry.encoding(), entry.rawLengthBytes(), ByteBuffer.wrap(stored)));
        if (writer.isFull(parts.packTargetBytes())) {
            seal();
        }
    }

    private void seal() throws StoreException {
        PackWriter writer = current;
        if (writer == null) {
            return;
        }
        List<PackEntry> entries = writer.seal();
        parts.index().absorb(writer.id(), entries);
        packsWritten++;
        bytesWritten += parts.packs().lengthBytes(writer.id());
        current = null;
        writer.close();
    }
}
