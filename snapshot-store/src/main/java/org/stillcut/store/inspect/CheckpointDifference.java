package org.stillcut.store.inspect;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.chunk.ChunkSource;
import org.stillcut.store.codec.CodecPool;
import org.stillcut.store.image.ImageDifference;
import org.stillcut.store.manifest.CheckpointCatalog;

/** How two checkpoints differ, image by image, in the order of VMs and image names. */
public record CheckpointDifference(List<Entry> entries) {

    /** Copies the list. */
    public CheckpointDifference {
        entries = List.copyOf(entries);
    }

    /**
     * One image of one VM.
     *
     * @param leftBytes its length in the first checkpoint, -1 when that has none
     * @param rightBytes its length in the second checkpoint, -1 when that has none
     * @param changedBytes length of what differs, -1 when that is not known, since the images were cut differently
     */
    public record Entry(int vm, String image, long leftBytes, long rightBytes, long changedBytes) {}

    /** Compares two checkpoints by their indexes alone. Fails with {@link StoreMissingException} when one does not exist. */
    public static CheckpointDifference of(
            CheckpointRef left, CheckpointRef right, CheckpointCatalog catalog, ChunkSource chunks, CodecPool codecs)
            throws StoreException {
        SortedMap<Integer, SortedMap<String, ImageRef>> leftImages = images(left, catalog);
        SortedMap<Integer, SortedMap<String, ImageRef>> rightImages = images(right, catalog);
        List<Entry> entries = new ArrayList<>();
        SortedSet<Integer> vms = new TreeSet<>(leftImages.keySet());
        vms.addAll(rightImages.keySet());
        try (CodecPool.Lease lease = codecs.borrow()) {
            for (int vm : vms) {
                SortedMap<String, ImageRef> one = leftImages.getOrDefault(vm, new TreeMap<>());
                SortedMap<String, ImageRef> other = rightImages.getOrDefault(vm, new TreeMap<>());
                SortedSet<String> names = new TreeSet<>(one.keySet());
                names.addAll(other.keySet());
                for (String name : names) {
                    entries.add(entry(vm, name, one.get(name), other.get(name), chunks, lease));
                }
            }
        }
        return new CheckpointDifference(entries);
    }

    private static Entry entry(
            int vm,
            String name,
            @Nullable ImageRef left,
            @Nullable ImageRef right,
            ChunkSource chunks,
            CodecPool.Lease lease)
            throws StoreException {
        if (left == null || right == null) {
            long leftBytes = left == null ? -1 : left.lengthBytes();
            long rightBytes = right == null ? -1 : right.lengthBytes();
            return new Entry(vm, name, leftBytes, rightBytes, Math.max(leftBytes, rightBytes));
        }
        ImageDifference difference = ImageDifference.of(left, right, chunks, lease.codec());
        long changed = difference.isComparable() ? difference.changedBytes() : -1;
        return new Entry(vm, name, left.lengthBytes(), right.lengthBytes(), changed);
    }

    private static SortedMap<Integer, SortedMap<String, ImageRef>> images(CheckpointRef ref, CheckpointCatalog catalog)
            throws StoreException {
        CheckpointManifest found = catalog.findCheckpoint(ref.job(), ref.sequence())
                .orElseThrow(() -> new StoreMissingException("there is no checkpoint " + ref, null));
        SortedMap<Integer, SortedMap<String, ImageRef>> images = new TreeMap<>();
        for (var snapshot : found.snapshots().entrySet()) {
            SnapshotRef manifest = snapshot.getValue();
            images.put(snapshot.getKey(), catalog.readSnapshot(manifest).images());
        }
        return images;
    }
}
