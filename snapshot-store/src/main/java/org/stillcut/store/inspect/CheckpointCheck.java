package org.stillcut.store.inspect;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.chunk.ChunkSource;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.image.ImageTree;
import org.stillcut.store.index.ChunkIndex;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.pack.PackRecord;

/**
 * Checks that checkpoints are whole: record, manifests, image indexes, and that each chunk is in a pack, with the right length, and not damaged. What
 * checkpoints share is looked at once. Used by one thread.
 */
final class CheckpointCheck {

    private final CheckpointCatalog catalog;
    private final ChunkIndex index;
    private final ChunkSource chunks;
    private final Findings findings;

    /** What is wrong below the parts of indexes that were looked at; mostly nothing. */
    private final Map<ChunkId, SortedSet<String>> seen = new HashMap<>();

    CheckpointCheck(CheckpointCatalog catalog, ChunkIndex index, ChunkSource chunks, Findings findings) {
        this.catalog = catalog;
        this.index = index;
        this.chunks = chunks;
        this.findings = findings;
    }

    void check(CheckpointRef ref, ChunkCodec codec) throws StoreException {
        CheckpointManifest checkpoint;
        try {
            Optional<CheckpointManifest> found = catalog.findCheckpoint(ref.job(), ref.sequence());
            if (found.isEmpty()) {
                // Forgotten meanwhile.
                return;
            }
            checkpoint = found.get();
        } catch (StoreCorruptException | StoreFormatException e) {
            findings.add(String.valueOf(e.getMessage()));
            findings.add(ref, String.valueOf(e.getMessage()));
            return;
        }
        for (Map.Entry<Integer, SnapshotRef> snapshot : checkpoint.snapshots().entrySet()) {
            checkSnapshot(ref, snapshot.getKey(), snapshot.getValue(), codec);
        }
        checkMark(ref);
    }

    private void checkMark(CheckpointRef ref) throws StoreException {
        try {
            catalog.marks().read(ref);
        } catch (StoreCorruptException | StoreFormatException e) {
            findings.add("mark of " + ref + ": " + e.getMessage());
        }
    }

    private void checkSnapshot(CheckpointRef ref, int vm, SnapshotRef snapshot, ChunkCodec codec)
            throws StoreException {
        SnapshotManifest manifest;
        try {
            manifest = catalog.readSnapshot(snapshot);
        } catch (StoreCorruptException | StoreFormatException | StoreMissingException e) {
            findings.add(String.valueOf(e.getMessage()));
            findings.add(ref, "VM " + vm + ": " + e.getMessage());
            return;
        }
        for (Map.Entry<String, ImageRef> image : manifest.images().entrySet()) {
            String name = "VM " + vm + ", image " + image.getKey() + ": ";
            for (String problem : checkImage(image.getValue(), codec)) {
                findings.add(ref, name + problem);
            }
        }
    }

    private SortedSet<String> checkImage(ImageRef image, ChunkCodec codec) throws StoreException {
        ImageVisit visit = new ImageVisit();
        ImageTree.walk(image, chunks, codec, visit);
        visit.finish();
        // Another checkpoint with the same root is not looked at again, so here is all that is below.
        seen.put(image.root(), visit.problems);
        return visit.problems;
    }

    /** One image; problems of its parts are remembered for the next image that has them. */
    private final class ImageVisit implements ImageTree.Visitor {

        private final SortedSet<String> problems = new TreeSet<>();
        private final List<ChunkId> contents = new ArrayList<>();
        /** What is wrong below the root, page and split chunk in hand; what is below a split chunk is below its page too. */
        private final List<SortedSet<String>> levels = new ArrayList<>();

        private final List<Integer> contentLengths = new ArrayList<>();

        @Override
        public boolean enter(ChunkId indexChunk, int level) throws StoreException {
            finish();
            while (levels.size() > level) {
                levels.removeLast();
            }
            SortedSet<String> known = seen.get(indexChunk);
            if (known != null) {
                known.forEach(this::note);
                return false;
            }
            SortedSet<String> problemsBelow = new TreeSet<>();
            seen.put(indexChunk, problemsBelow);
            levels.add(problemsBelow);
            findings.damageOf(indexChunk).ifPresent(this::note);
            return true;
        }

        @Override
        public void content(ChunkId chunk, int lengthBytes) {
            contents.add(chunk);
            contentLengths.add(lengthBytes);
        }

        @Override
        public void unreadable(ChunkId indexChunk, StoreException cause) throws StoreException {
            boolean damage = cause instanceof StoreCorruptException
                    || cause instanceof StoreMissingException
                    || cause instanceof StoreFormatException;
            if (!damage) {
                throw cause;
            }
            findings.add("image index " + indexChunk + ": " + cause.getMessage());
            note(String.valueOf(cause.getMessage()));
        }

        private void note(String problem) {
            levels.forEach(level -> level.add(problem));
            problems.add(problem);
        }

        /** Looks up the contents of the part that was entered last. */
        private void finish() throws StoreException {
            List<Optional<PackRecord>> places = index.findAll(contents);
            for (int i = 0; i < contents.size(); i++) {
                ChunkId chunk = contents.get(i);
                if (places.get(i).isEmpty()) {
                    report("chunk " + chunk + " is in no readable pack");
                } else if (places.get(i).get().rawLengthBytes() != contentLengths.get(i)) {
                    report("chunk " + chunk + " has " + places.get(i).get().rawLengthBytes() + " bytes, not "
                            + contentLengths.get(i));
                } else {
                    findings.damageOf(chunk).ifPresent(this::note);
                }
            }
            contents.clear();
            contentLengths.clear();
        }

        private void report(String problem) {
            findings.add(problem);
            note(problem);
        }
    }
}
