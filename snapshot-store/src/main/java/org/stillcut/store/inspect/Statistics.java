package org.stillcut.store.inspect;

import java.util.List;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.ImageRef;
import org.stillcut.store.PackId;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.pack.PackDirectory;
import org.stillcut.store.pack.PackEntry;
import org.stillcut.store.pack.PackReader;

/** Adds up what a repository holds. Used by one thread, once. */
public final class Statistics {

    private final CheckpointCatalog catalog;
    private final PackDirectory packs;
    private int checkpoints;
    private long logicalBytes;
    private int packCount;
    private long packBytes;
    private long chunks;
    private long rawBytes;
    private long storedBytes;
    private int unreadablePacks;

    /** Prepares; reads nothing yet. */
    public Statistics(CheckpointCatalog catalog, PackDirectory packs) {
        this.catalog = catalog;
        this.packs = packs;
    }

    /** Reads all commit records, manifests and pack footers. Damaged ones are left out. */
    public StoreStatistics run(List<PackId> present) throws StoreException {
        List<String> jobs = catalog.listJobs();
        for (String job : jobs) {
            for (long sequence : catalog.listCheckpoints(job)) {
                checkpoints++;
                addCheckpoint(job, sequence);
            }
        }
        for (PackId pack : present) {
            addPack(pack);
        }
        return new StoreStatistics(
                jobs.size(),
                checkpoints,
                logicalBytes,
                packCount,
                packBytes,
                chunks,
                rawBytes,
                storedBytes,
                unreadablePacks);
    }

    private void addCheckpoint(String job, long sequence) throws StoreException {
        try {
            var found = catalog.findCheckpoint(job, sequence);
            if (found.isPresent()) {
                addSnapshots(found.get());
            }
        } catch (StoreCorruptException | StoreFormatException | StoreMissingException e) {
            // Telling damage is the business of a verification.
        }
    }

    private void addSnapshots(CheckpointManifest checkpoint) throws StoreException {
        for (SnapshotRef snapshot : checkpoint.snapshots().values()) {
            logicalBytes += catalog.readSnapshot(snapshot).images().values().stream()
                    .mapToLong(ImageRef::lengthBytes)
                    .sum();
        }
    }

    private void addPack(PackId pack) throws StoreException {
        try {
            packBytes += packs.lengthBytes(pack);
            packCount++;
            for (PackEntry entry : PackReader.readFooter(packs, pack)) {
                chunks++;
                rawBytes += entry.rawLengthBytes();
                storedBytes += entry.storedLengthBytes();
            }
        } catch (StoreMissingException e) {
            // Removed by a prune meanwhile.
        } catch (StoreCorruptException | StoreFormatException e) {
            unreadablePacks++;
        }
    }
}
