package org.stillcut.store;

import java.time.Instant;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What one VM's snapshot consists of. Immutable; stands alone: it refers to no other snapshot.
 *
 * @param identity which snapshot
 * @param created when it was finished, for people only
 * @param images its images by name, for instance {@code ram}, {@code disk0}, {@code device}
 * @param attributes strings that the store keeps and does not read, such as the machine's description
 */
public record SnapshotManifest(
        SnapshotIdentity identity,
        Instant created,
        SortedMap<String, ImageRef> images,
        SortedMap<String, String> attributes) {

    /** Copies the maps. */
    public SnapshotManifest {
        images = Collections.unmodifiableSortedMap(new TreeMap<>(images));
        attributes = Collections.unmodifiableSortedMap(new TreeMap<>(attributes));
    }

    /** The image with this name; fails when the snapshot has none. */
    public ImageRef image(String name) throws StoreMissingException {
        @Nullable ImageRef image = images.get(name);
        if (image == null) {
            throw new StoreMissingException("no image " + name + " in " + identity + ", only " + images.keySet(), null);
        }
        return image;
    }
}
