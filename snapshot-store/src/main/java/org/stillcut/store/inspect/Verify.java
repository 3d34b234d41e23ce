package org.stillcut.store.inspect;

import java.util.List;
import java.util.Set;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.PackId;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.chunk.ChunkStore;
import org.stillcut.store.codec.CodecPool;
import org.stillcut.store.index.ChunkIndex;
import org.stillcut.store.index.IndexRefresh;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.pack.PackDirectory;
import org.stillcut.store.progress.Progress;
import org.stillcut.store.work.TaskGroup;
import org.stillcut.store.work.WorkerPool;

/**
 * Looks for damage in a repository: its packs' tables, its chunk index, and from each commit record down whatever it needs; on demand it reads all
 * content too. Changes nothing. May run beside everything else: what is written, forgotten or pruned meanwhile is not damage.
 */
public final class Verify {

    private final CheckpointCatalog catalog;
    private final PackDirectory packs;
    private final ChunkIndex index;
    private final IndexRefresh refresh;
    private final ChunkStore chunks;
    private final WorkerPool workers;

    /** Prepares; reads nothing yet. */
    public Verify(
            CheckpointCatalog catalog,
            PackDirectory packs,
            ChunkIndex index,
            IndexRefresh refresh,
            ChunkStore chunks,
            WorkerPool workers) {
        this.catalog = catalog;
        this.packs = packs;
        this.index = index;
        this.refresh = refresh;
        this.chunks = chunks;
        this.workers = workers;
    }

    /** Fails only when something cannot be read for another reason than damage. */
    public VerifyReport run(boolean readData, Progress progress) throws StoreException {
        refresh.run();
        Findings findings = new Findings();
        for (String problem : index.check()) {
            findings.add("chunk index: " + problem);
        }
        List<PackId> present = packs.listDurable(index.absorbedPacks());
        checkPacks(present, readData, findings, progress);
        progress.begin("check checkpoints", 0);
        checkCondemned(findings);
        checkManifests(findings);
        int checkpoints = 0;
        try (CodecPool.Lease lease = workers.codecs().borrow()) {
            CheckpointCheck check = new CheckpointCheck(catalog, index, chunks, findings);
            for (String job : catalog.listJobs()) {
                for (long sequence : catalog.listCheckpoints(job)) {
                    check.check(new CheckpointRef(job, sequence), lease.codec());
                    checkpoints++;
                }
            }
        }
        return findings.report(checkpoints, present.size());
    }

    private void checkPacks(List<PackId> present, boolean readData, Findings findings, Progress progress)
            throws StoreException {
        long total = 0;
        for (PackId pack : present) {
            total += lengthOf(pack);
        }
        progress.begin(readData ? "read packs" : "check packs", readData ? total : 0);
        PackCheck check = new PackCheck(packs, index, readData, findings, progress);
        try (TaskGroup group = workers.newGroup()) {
            for (PackId pack : present) {
                group.submit(codec -> check.check(pack, codec));
            }
            group.await();
        }
    }

    private long lengthOf(PackId pack) throws StoreException {
        try {
            return packs.lengthBytes(pack);
        } catch (StoreMissingException e) {
            // Removed by a prune meanwhile.
            return 0;
        }
    }

    private void checkCondemned(Findings findings) throws StoreException {
        try {
            packs.condemned().read();
        } catch (StoreCorruptException | StoreFormatException e) {
            findings.add("list of condemned packs: " + e.getMessage() + "; the next prune replaces it");
        }
    }

    /** Manifests that no checkpoint refers to are damage too, though it hurts nobody. */
    private void checkManifests(Findings findings) throws StoreException {
        for (SnapshotRef manifest : Set.copyOf(catalog.listSnapshots())) {
            try {
                catalog.readSnapshot(manifest);
            } catch (StoreCorruptException | StoreFormatException e) {
                findings.add(String.valueOf(e.getMessage()));
            } catch (StoreMissingException e) {
                // Removed meanwhile.
            }
        }
    }
}
