package org.stillcut.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.CheckpointMark;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.manifest.CheckpointCatalog;

/** What a repository says of one checkpoint. */
record StoredCheckpoint(CheckpointManifest manifest, CheckpointMark mark, List<Part> parts) {
    /** In a snapshot's attributes, as agents write them: what it added to the repository. */
    private static final String STORED_BYTES = "stored.bytes";

    private static final ObjectMapper JSON = new ObjectMapper();

    /** One VM's part. */
    record Part(int vm, SnapshotManifest snapshot) {
        long imageBytes() {
            return snapshot.images().values().stream()
                    .mapToLong(ImageRef::lengthBytes)
                    .sum();
        }

        /** Not decided upon, so what is no number is none. */
        long storedBytes() {
            String value = snapshot.attributes().getOrDefault(STORED_BYTES, "0");
            return value.matches("[0-9]{1,18}") ? Long.parseLong(value) : 0;
        }
    }

    /** Fails with {@link StoreMissingException} when it, or a manifest of it, is not there, and {@link StoreCorruptException} when one is damaged. */
    static StoredCheckpoint read(CheckpointRef ref, CheckpointCatalog catalog) throws StoreException {
        CheckpointManifest manifest = catalog.findCheckpoint(ref.job(), ref.sequence())
                .orElseThrow(() -> new StoreMissingException("there is no checkpoint " + ref, null));
        List<Part> parts = new ArrayList<>();
        for (Map.Entry<Integer, SnapshotRef> each : manifest.snapshots().entrySet()) {
            parts.add(new Part(each.getKey(), catalog.readSnapshot(each.getValue())));
        }
        return new StoredCheckpoint(manifest, mark(ref, catalog), parts);
    }

    /** A damaged mark counts as protected. */
    private static CheckpointMark mark(CheckpointRef ref, CheckpointCatalog catalog) throws StoreException {
        try {
            return catalog.marks().read(ref);
        } catch (StoreCorruptException e) {
            return CheckpointMark.NONE.withProtection(true);
        }
    }

    long imageBytes() {
        return parts.stream().mapToLong(Part::imageBytes).sum();
    }

    long storedBytes() {
        return parts.stream().mapToLong(Part::storedBytes).sum();
    }

    String time() {
        return Report.time(manifest.created().toEpochMilli());
    }

    /** Protection and tags, for people. */
    String marks() {
        List<String> words = new ArrayList<>();
        if (mark.isProtected()) {
            words.add("protected");
        }
        words.addAll(mark.tags());
        return String.join(" ", words);
    }

    ObjectNode json() {
        ObjectNode node = JSON.createObjectNode()
                .put("reference", CheckpointRef.of(manifest).toString())
                .put("job", manifest.job())
                .put("sequence", manifest.sequence())
                .put("epoch", manifest.epoch())
                .put("createdUnixMillis", manifest.created().toEpochMilli())
                .put("imageBytes", imageBytes())
                .put("storedBytes", storedBytes())
                .put("protected", mark.isProtected());
        ArrayNode tags = node.putArray("tags");
        mark.tags().forEach(tags::add);
        ArrayNode snapshots = node.putArray("snapshots");
        parts.forEach(part -> snapshots
                .addObject()
                .put("vm", part.vm())
                .put("imageBytes", part.imageBytes())
                .put("storedBytes", part.storedBytes()));
        return node;
    }
}
