package org.stillcut.store.transfer;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.chunk.ChunkStore;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.codec.CodecPool;
import org.stillcut.store.codec.EncodedChunk;
import org.stillcut.store.hold.Hold;
import org.stillcut.store.hold.HoldContent;
import org.stillcut.store.hold.HoldContent.Purpose;
import org.stillcut.store.image.ImageTree;
import org.stillcut.store.io.BlockFile;
import org.stillcut.store.io.StoreFiles;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.manifest.ManifestCodec;
import org.stillcut.store.pack.PackEntry;
import org.stillcut.store.progress.Progress;

/** Writes a checkpoint into one file that stands alone. Used by one thread, once. */
public final class Export {

    private final CheckpointCatalog catalog;
    private final ChunkStore chunks;
    private final CodecPool codecs;
    private final StoreFiles files;
    private final Progress progress;

    /** Prepares; reads nothing yet. */
    public Export(CheckpointCatalog catalog, ChunkStore chunks, CodecPool codecs, StoreFiles files, Progress progress) {
        this.catalog = catalog;
        this.chunks = chunks;
        this.codecs = codecs;
        this.files = files;
        this.progress = progress;
    }

    /**
     * Writes the file; when this returns it is durable under its name, which must be free. Every chunk is checked on the way. After a failure there is no
     * file.
     *
     * @param temporarySuffix makes the temporary name beside the file unlike any other
     */
    public ExportReport run(CheckpointRef ref, Path target, String temporarySuffix) throws StoreException {
        CheckpointManifest checkpoint = find(ref);
        List<SnapshotRef> refs = List.copyOf(checkpoint.snapshots().values());
        List<SnapshotManifest> snapshots = new ArrayList<>();
        List<ImageRef> images = new ArrayList<>();
        for (SnapshotRef snapshot : refs) {
            snapshots.add(catalog.readSnapshot(snapshot));
            images.addAll(snapshots.getLast().images().values());
        }
        try (Hold _ = catalog.holds().open(new HoldContent(Purpose.READING, images, refs))) {
            // Again, now that it stays.
            find(ref);
            return writeFile(checkpoint, snapshots, images, target, temporarySuffix);
        }
    }

    private CheckpointManifest find(CheckpointRef ref) throws StoreException {
        return catalog.findCheckpoint(ref.job(), ref.sequence())
                .orElseThrow(() -> new StoreMissingException("there is no checkpoint " + ref, null));
    }

    private ExportReport writeFile(
            CheckpointManifest checkpoint,
            List<SnapshotManifest> snapshots,
            List<ImageRef> images,
            Path target,
            String temporarySuffix)
            throws StoreException {
        Path temporary = target.resolveSibling(target.getFileName() + ".tmp-" + temporarySuffix);
        try {
            ExportReport report;
            try (BlockFile file = files.createUncached(temporary);
                    CodecPool.Lease lease = codecs.borrow()) {
                report = write(checkpoint, snapshots, images, new CheckedOutput(file), lease.codec());
            }
            if (!files.renameIfAbsent(temporary, target)) {
                throw new StoreConflictException(target + " is there already", null);
            }
            Path parent = target.toAbsolutePath().getParent();
            if (parent != null) {
                files.syncDirectory(parent);
            }
            return report;
        } catch (StoreException e) {
            files.delete(temporary);
            throw e;
        }
    }

    private ExportReport write(
            CheckpointManifest checkpoint,
            List<SnapshotManifest> snapshots,
            List<ImageRef> images,
            CheckedOutput output,
            ChunkCodec codec)
            throws StoreException {
        progress.begin("find chunks", 0);
        Set<ChunkId> wanted = ImageTree.allChunks(images, chunks, codec);
        long stored = 0;
        output.put(ByteBuffer.allocate(ExportFormat.HEADER_BYTES)
                .putLong(ExportFormat.MAGIC)
                .putInt(ExportFormat.VERSION)
                .putInt(snapshots.size())
                .putLong(wanted.size())
                .putLong(0)
                .flip());
        putFrame(output, ManifestCodec.encode(checkpoint));
        for (SnapshotManifest snapshot : snapshots) {
            putFrame(output, ManifestCodec.encode(snapshot));
        }
        progress.begin("export", chunks.storedBytes(wanted));
        for (ChunkId id : wanted) {
            EncodedChunk chunk = chunks.readEncoded(id, codec);
            PackEntry entry = new PackEntry(
                    id, chunk.encoding(), output.lengthBytes(), chunk.stored().remaining(), chunk.rawLengthBytes());
            output.put(entry.header());
            output.put(chunk.stored());
            stored += entry.storedLengthBytes();
            progress.advance(entry.storedLengthBytes());
        }
        long body = output.lengthBytes();
        output.put(ByteBuffer.allocate(ExportFormat.TRAILER_CHECKED_BYTES)
                .putLong(ExportFormat.TRAILER_MAGIC)
                .putLong(body)
                .flip());
        output.finish();
        return new ExportReport(CheckpointRef.of(checkpoint), wanted.size(), body + ExportFormat.TRAILER_BYTES, stored);
    }

    private static void putFrame(CheckedOutput output, byte[] frame) throws StoreException {
        output.put(ByteBuffer.allocate(Integer.BYTES).putInt(frame.length).flip());
        output.put(frame);
    }
}
