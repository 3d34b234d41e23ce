package org.stillcut.store.transfer;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;
import org.stillcut.store.chunk.ChunkSession;
import org.stillcut.store.chunk.ChunkTally;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.codec.CodecPool;
import org.stillcut.store.codec.EncodedChunk;
import org.stillcut.store.image.ImageTree;
import org.stillcut.store.io.BlockFile;
import org.stillcut.store.io.StoreFiles;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.manifest.ManifestCodec;
import org.stillcut.store.pack.PackEntry;
import org.stillcut.store.progress.Progress;

/** Takes a checkpoint out of an export file into a repository. Used by one thread, once. */
public final class Import {

    private final CheckpointCatalog catalog;
    private final ChunkSession session;
    private final CodecPool codecs;
    private final StoreFiles files;
    private final Progress progress;
    private final Set<ChunkId> found = new HashSet<>();
    private final ChunkTally tally = new ChunkTally();

    /** Prepares; the session is the import's own, begun under a hold. */
    public Import(
            CheckpointCatalog catalog, ChunkSession session, CodecPool codecs, StoreFiles files, Progress progress) {
        this.catalog = catalog;
        this.session = session;
        this.codecs = codecs;
        this.files = files;
        this.progress = progress;
    }

    /**
     * Reads the file; the checkpoint exists, durably, when this returns, and not at all after a failure. Nothing is believed: every chunk, the digest of
     * the whole, and that no chunk is missing are checked before anything refers to what was read.
     *
     * <p>Fails with {@link StoreCorruptException} or {@link StoreFormatException} for a file that is damaged, foreign or newer, and with
     * {@link StoreConflictException} when the repository has another checkpoint of that name. A repeat succeeds.
     *
     * @param job the name that the job gets, if not the one that it had
     */
    public ExportReport run(Path file, Optional<String> job) throws StoreException {
        try (BlockFile opened = files.open(file);
                CodecPool.Lease lease = codecs.borrow()) {
            CheckedInput input = new CheckedInput(opened, file.toString());
            Content content = readHead(input, file.toString());
            requireFree(content, job);
            readChunks(input, content.chunks(), file.toString(), lease.codec());
            requireTrailer(input, file.toString());
            requireComplete(content, file.toString(), lease.codec());
            session.flush();
            CheckpointRef ref = commit(content, job);
            return new ExportReport(ref, content.chunks(), input.fileLengthBytes(), tally.storedBytes());
        }
    }

    private record Content(CheckpointManifest checkpoint, List<SnapshotManifest> snapshots, long chunks) {}

    private static Content readHead(CheckedInput input, String name) throws StoreException {
        ByteBuffer header = input.take(ExportFormat.HEADER_BYTES);
        if (header.getLong() != ExportFormat.MAGIC) {
            throw new StoreCorruptException(Damage.FOREIGN_MAGIC, name + " is no export of a checkpoint");
        }
        int version = header.getInt();
        if (version != ExportFormat.VERSION) {
            throw new StoreFormatException(name, version, ExportFormat.VERSION);
        }
        int manifests = header.getInt();
        long chunks = header.getLong();
        if (manifests < 1 || manifests > ExportFormat.MANIFEST_LIMIT || chunks < 0) {
            throw new StoreCorruptException(
                    Damage.OVERSIZED, name + " claims " + manifests + " snapshots and " + chunks + " chunks");
        }
        CheckpointManifest checkpoint = ManifestCodec.decodeCheckpoint(takeFrame(input, name), name);
        List<SnapshotManifest> snapshots = new ArrayList<>();
        for (int i = 0; i < manifests; i++) {
            snapshots.add(ManifestCodec.decodeSnapshot(takeFrame(input, name), name));
        }
        requireMatch(checkpoint, snapshots, name);
        return new Content(checkpoint, snapshots, chunks);
    }

    private static byte[] takeFrame(CheckedInput input, String name) throws StoreException {
        int length = input.take(Integer.BYTES).getInt();
        if (length < 0 || length > ExportFormat.FRAME_LIMIT_BYTES) {
            throw new StoreCorruptException(
                    Damage.OVERSIZED, name + " claims a manifest of " + Integer.toUnsignedString(length) + " bytes");
        }
        byte[] frame = new byte[length];
        input.take(length).get(frame);
        return frame;
    }

    /** The snapshots come in the order of their VMs, and are those that the commit record names. */
    private static void requireMatch(CheckpointManifest checkpoint, List<SnapshotManifest> snapshots, String name)
            throws StoreException {
        List<Integer> vms = snapshots.stream()
                .map(snapshot -> snapshot.identity().vmIndex())
                .toList();
        boolean match = vms.equals(List.copyOf(checkpoint.snapshots().keySet()))
                && snapshots.stream()
                        .allMatch(snapshot -> snapshot.identity().job().equals(checkpoint.job())
                                && snapshot.identity().sequence() == checkpoint.sequence());
        if (!match) {
            throw new StoreCorruptException(Damage.MALFORMED, name + " has snapshots of another checkpoint");
        }
    }

    /** Before anything is stored: a checkpoint of that name that is not this one would be found only at the end. */
    private void requireFree(Content content, Optional<String> job) throws StoreException {
        CheckpointManifest checkpoint = content.checkpoint();
        String name = job.orElse(checkpoint.job());
        var existing = catalog.findCheckpoint(name, checkpoint.sequence());
        if (existing.isPresent() && !existing.get().created().equals(checkpoint.created())) {
            throw new StoreConflictException(
                    "the repository has another checkpoint " + name + "@" + checkpoint.sequence() + ", created "
                            + existing.get().created(),
                    null);
        }
    }

    private void readChunks(CheckedInput input, long count, String name, ChunkCodec codec) throws StoreException {
        progress.begin("import", input.fileLengthBytes());
        for (long i = 0; i < count; i++) {
            long offset = input.offsetBytes();
            PackEntry entry = PackEntry.readHeader(input.take(PackEntry.HEADER_BYTES), offset + PackEntry.HEADER_BYTES)
                    .orElseThrow(() ->
                            new StoreCorruptException(Damage.CHECKSUM, name + " has no chunk at offset " + offset));
            ByteBuffer stored = input.take(entry.storedLengthBytes());
            byte[] raw = codec.rawBuffer(entry.rawLengthBytes());
            String problem = codec.decode(
                    new EncodedChunk(entry.chunk(), entry.encoding(), entry.rawLengthBytes(), stored), raw);
            if (!problem.isEmpty()) {
                throw new StoreCorruptException(
                        Damage.CHECKSUM, name + ": chunk " + entry.chunk() + " at offset " + offset + ": " + problem);
            }
            session.store(raw, 0, entry.rawLengthBytes(), codec, tally);
            found.add(entry.chunk());
            progress.advance(input.offsetBytes() - offset);
        }
    }

    private static void requireTrailer(CheckedInput input, String name) throws StoreException {
        long body = input.offsetBytes();
        ByteBuffer trailer = input.take(ExportFormat.TRAILER_CHECKED_BYTES);
        byte[] digest = new byte[ChunkId.LENGTH_BYTES];
        input.takeUnchecked(digest.length).get(digest);
        boolean sound = trailer.getLong() == ExportFormat.TRAILER_MAGIC
                && trailer.getLong() == body
                && MessageDigest.isEqual(digest, input.digest());
        if (!sound) {
            throw new StoreCorruptException(Damage.CHECKSUM, name + " does not match its checksum");
        }
        if (input.offsetBytes() != input.fileLengthBytes()) {
            throw new StoreCorruptException(Damage.MALFORMED, name + " goes on behind its end");
        }
    }

    /** What the images need is in the file itself: it stands alone. */
    private void requireComplete(Content content, String name, ChunkCodec codec) throws StoreException {
        for (SnapshotManifest snapshot : content.snapshots()) {
            for (ImageRef image : snapshot.images().values()) {
                ImageTree.walk(image, session, codec, new Completeness(name));
            }
        }
    }

    private final class Completeness implements ImageTree.Visitor {

        private final String name;

        private Completeness(String name) {
            this.name = name;
        }

        @Override
        public boolean enter(ChunkId indexChunk, int level) throws StoreException {
            require(indexChunk);
            return true;
        }

        @Override
        public void content(ChunkId chunk, int lengthBytes) throws StoreException {
            require(chunk);
        }

        @Override
        public void unreadable(ChunkId indexChunk, StoreException cause) throws StoreException {
            throw cause;
        }

        private void require(ChunkId chunk) throws StoreException {
            if (!found.contains(chunk)) {
                throw new StoreCorruptException(Damage.MALFORMED, name + " lacks chunk " + chunk);
            }
        }
    }

    private CheckpointRef commit(Content content, Optional<String> job) throws StoreException {
        CheckpointManifest checkpoint = content.checkpoint();
        String name = job.orElse(checkpoint.job());
        SortedMap<Integer, SnapshotRef> refs = new TreeMap<>();
        for (SnapshotManifest snapshot : content.snapshots()) {
            SnapshotIdentity identity = snapshot.identity();
            SnapshotManifest renamed = new SnapshotManifest(
                    new SnapshotIdentity(name, identity.sequence(), identity.epoch(), identity.vmIndex()),
                    snapshot.created(),
                    snapshot.images(),
                    snapshot.attributes());
            refs.put(identity.vmIndex(), catalog.writeSnapshot(renamed));
        }
        CheckpointManifest renamed = new CheckpointManifest(
                name, checkpoint.sequence(), checkpoint.epoch(), checkpoint.created(), refs, checkpoint.attributes());
        catalog.commit(renamed);
        return CheckpointRef.of(renamed);
    }
}
