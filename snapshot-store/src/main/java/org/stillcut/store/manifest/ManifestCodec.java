package org.stillcut.store.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.io.Frame;

/** The files of snapshot manifests and commit records: a frame around JSON. The same manifest always gives the same bytes. */
public final class ManifestCodec {

    /** Machine descriptions and statistics, not data: far above what is used, far below what hurts a reader. */
    private static final int LIMIT_BYTES = 16 << 20;

    static final Frame SNAPSHOT = new Frame("STILSNAP", 1, LIMIT_BYTES);
    static final Frame COMMIT = new Frame("STILCKPT", 1, LIMIT_BYTES);

    private ManifestCodec() {}

    /** The file of a snapshot manifest. */
    public static byte[] encode(SnapshotManifest manifest) {
        SnapshotIdentity identity = manifest.identity();
        ObjectNode node = Json.object();
        node.put("job", identity.job());
        node.put("sequence", identity.sequence());
        node.put("epoch", identity.epoch());
        node.put("vmIndex", identity.vmIndex());
        node.put("created", manifest.created().toString());
        ObjectNode images = node.putObject("images");
        for (Map.Entry<String, ImageRef> image : manifest.images().entrySet()) {
            ObjectNode ref = images.putObject(image.getKey());
            ref.put("root", image.getValue().root().toString());
            ref.put("lengthBytes", image.getValue().lengthBytes());
        }
        Json.putStrings(node, "attributes", manifest.attributes());
        return SNAPSHOT.wrap(Json.bytes(node));
    }

    /** Reads the file of a snapshot manifest; the name is for errors. */
    public static SnapshotManifest decodeSnapshot(byte[] file, String name) throws StoreException {
        return Json.parse(SNAPSHOT.unwrap(file, name), name, node -> {
            SnapshotIdentity identity = new SnapshotIdentity(
                    Json.text(node, "job"),
                    Json.number(node, "sequence"),
                    Json.number(node, "epoch"),
                    Math.toIntExact(Json.number(node, "vmIndex")));
            return new SnapshotManifest(
                    identity, Json.instant(node, "created"), images(node), Json.strings(node, "attributes"));
        });
    }

    /** The file of a commit record. */
    public static byte[] encode(CheckpointManifest manifest) {
        ObjectNode node = Json.object();
        node.put("job", manifest.job());
        node.put("sequence", manifest.sequence());
        node.put("epoch", manifest.epoch());
        node.put("created", manifest.created().toString());
        ObjectNode snapshots = node.putObject("snapshots");
        manifest.snapshots().forEach((vm, ref) -> snapshots.put(vm.toString(), ref.digest()));
        Json.putStrings(node, "attributes", manifest.attributes());
        return COMMIT.wrap(Json.bytes(node));
    }

    /** Reads the file of a commit record; the name is for errors. */
    public static CheckpointManifest decodeCheckpoint(byte[] file, String name) throws StoreException {
        return Json.parse(
                COMMIT.unwrap(file, name),
                name,
                node -> new CheckpointManifest(
                        Json.text(node, "job"),
                        Json.number(node, "sequence"),
                        Json.number(node, "epoch"),
                        Json.instant(node, "created"),
                        snapshots(node),
                        Json.strings(node, "attributes")));
    }

    private static SortedMap<String, ImageRef> images(JsonNode node) {
        JsonNode images = Json.objectField(node, "images");
        SortedMap<String, ImageRef> refs = new TreeMap<>();
        for (Map.Entry<String, JsonNode> image : images.properties()) {
            ChunkId root = ChunkId.parse(Json.text(image.getValue(), "root"));
            refs.put(image.getKey(), new ImageRef(root, Json.number(image.getValue(), "lengthBytes")));
        }
        return refs;
    }

    private static SortedMap<Integer, SnapshotRef> snapshots(JsonNode node) {
        SortedMap<Integer, SnapshotRef> refs = new TreeMap<>();
        Json.strings(node, "snapshots").forEach((vm, digest) -> refs.put(Integer.valueOf(vm), new SnapshotRef(digest)));
        return refs;
    }
}
