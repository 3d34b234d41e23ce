package org.stillcut.store.prune;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreInterruptedException;
import org.stillcut.store.chunk.ChunkStore;
import org.stillcut.store.codec.CodecPool;
import org.stillcut.store.hold.HoldContent.Purpose;
import org.stillcut.store.index.ChunkIndex;
import org.stillcut.store.index.IndexRefresh;
import org.stillcut.store.io.StoreFiles;
import org.stillcut.store.io.StoreLock;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.manifest.CheckpointKeeper;
import org.stillcut.store.manifest.ManifestSweep;
import org.stillcut.store.pack.PackDirectory;
import org.stillcut.store.progress.Progress;

/**
 * Removes what no checkpoint needs, while others write, read, commit and forget. One at a time runs in a repository.
 *
 * <p>Why nothing is lost:
 * <ol>
 *   <li>The packs to go are published as condemned <em>before</em> it is looked who is writing. A writer makes itself seen <em>before</em> it reads that
 *       list, and then refers to no condemned pack. So every writer is either seen and waited for, or keeps away from these packs.
 *   <li>What is needed is determined only after those writers have ended, when their manifests are there.
 *   <li>What is needed of a condemned pack is copied to a new, durable pack before the old one goes.
 *   <li>Files are unlinked from the top: commit records (by forgetting), manifests, packs.
 * </ol>
 *
 * <p>A crash leaves the condemned list, copies, or temporary files, all of which the next prune removes.
 */
public final class Prune {

    private static final Logger log = LoggerFactory.getLogger(Prune.class);
    private static final long BETWEEN_LOOKS_MILLIS = 100;

    private final Parts parts;
    private final PruneOptions options;
    private final Progress progress;
    private final ManifestSweep sweep;

    /** What a prune works with; the index belongs to this process. */
    public record Parts(
            StoreFiles files,
            RandomGenerator random,
            Path repository,
            CheckpointCatalog catalog,
            PackDirectory packs,
            ChunkIndex index,
            IndexRefresh refresh,
            ChunkStore chunks,
            CodecPool codecs,
            long packTargetBytes) {}

    /** Prepares a prune; touches nothing yet. */
    public Prune(Parts parts, PruneOptions options, Progress progress) {
        this.parts = parts;
        this.options = options;
        this.progress = progress;
        this.sweep = new ManifestSweep(parts.catalog(), parts.files(), parts.repository());
    }

    /**
     * Prunes. Fails with {@code StoreConflictException} while another prune runs, and with {@code StoreCorruptException} when a checkpoint is damaged so
     * that it is not known what it needs: forget it first. After any failure, nothing is lost, and a repeat goes on.
     */
    public PruneReport run() throws StoreException {
        try (StoreLock _ = parts.catalog().holds().exclusive("prune", false)) {
            return options.dryRun() ? dryRun() : prune();
        }
    }

    private PruneReport dryRun() throws StoreException {
        parts.refresh().run();
        ManifestSweep.Result manifests = sweep.plan();
        List<PackPlan> plans = plan(presentPacks());
        PackTotals totals = new PackTotals();
        for (PackPlan plan : plans) {
            boolean goes = plan.isWorthRemoving(options.mostUnusedPercent());
            totals.count(plan, goes);
            totals.bytesWritten += goes ? plan.neededBytes() : 0;
        }
        return totals.report(manifests, 0, true);
    }

    private PruneReport prune() throws StoreException {
        List<Path> temporaries;
        try (StoreLock _ = parts.catalog().holds().exclusive(CheckpointKeeper.LOCK, true)) {
            // Nobody writes a mark now.
            temporaries = temporaries();
        }
        ManifestSweep.Result manifests = sweep.run();
        parts.refresh().run();
        List<PackId> condemned = plan(presentPacks()).stream()
                .filter(plan -> plan.isWorthRemoving(options.mostUnusedPercent()))
                .map(PackPlan::pack)
                .limit(parts.packs().condemned().limit())
                .toList();
        parts.packs().condemned().write(condemned, temporarySuffix());
        if (!awaitWriters()) {
            return stopped(manifests);
        }
        for (Path temporary : temporaries) {
            parts.files().delete(temporary);
        }
        PackTotals totals = removePacks(condemned);
        parts.packs().condemned().clear();
        parts.refresh().run();
        PruneReport report = totals.report(manifests, temporaries.size(), true);
        log.info("pruned: {}", report);
        return report;
    }

    private PackTotals removePacks(List<PackId> condemned) throws StoreException {
        // What the writers have stored meanwhile is another place for some of the chunks.
        parts.refresh().run();
        Set<PackId> going = new HashSet<>(condemned);
        PackTotals totals = new PackTotals();
        List<PackPlan> goingPlans = new ArrayList<>();
        for (PackPlan plan : plan(presentPacks())) {
            boolean goes = going.contains(plan.pack());
            totals.count(plan, goes);
            if (goes) {
                goingPlans.add(plan);
            }
        }
        Repack repack = new Repack(parts, progress);
        List<PackId> removable = repack.run(goingPlans);
        totals.packsWritten = repack.packsWritten();
        totals.bytesWritten = repack.bytesWritten();
        totals.keepDamaged(goingPlans, removable);
        progress.begin("remove packs", 0);
        parts.packs().remove(removable);
        return totals;
    }

    private List<PackPlan> plan(List<PackId> packs) throws StoreException {
        progress.begin("find what is needed", 0);
        ChunkSet live = new Marking(parts.catalog(), parts.chunks(), parts.codecs()).run();
        progress.begin("look through packs", 0);
        List<PackPlan> plans = new ArrayList<>();
        for (PackId pack : packs) {
            Optional<PackPlan> plan = PackPlan.of(pack, parts.packs(), parts.index(), live);
            plan.ifPresent(found -> {
                plans.add(found);
                progress.advance(found.lengthBytes());
            });
        }
        return plans;
    }

    private List<PackId> presentPacks() throws StoreException {
        return parts.packs().listDurable(parts.index().absorbedPacks());
    }

    /** Waits for the writers that are there now; false when they take too long. */
    private boolean awaitWriters() throws StoreException {
        Set<String> writers = new HashSet<>();
        parts.catalog().holds().settled().forEach((id, hold) -> {
            if (hold.purpose() == Purpose.WRITING) {
                writers.add(id);
            }
        });
        if (!writers.isEmpty()) {
            progress.begin("wait for " + writers.size() + " snapshots being written", 0);
        }
        long deadline = System.nanoTime() + options.patience().toNanos();
        while (true) {
            for (String id : Set.copyOf(writers)) {
                if (!parts.catalog().holds().isAlive(id)) {
                    writers.remove(id);
                }
            }
            if (writers.isEmpty()) {
                return true;
            }
            if (System.nanoTime() - deadline >= 0) {
                log.warn("{} snapshots are still being written; packs that were to go stay for now", writers.size());
                return false;
            }
            pause();
        }
    }

    private PruneReport stopped(ManifestSweep.Result manifests) throws StoreException {
        parts.packs().condemned().clear();
        PackTotals totals = new PackTotals();
        for (PackId pack : presentPacks()) {
            totals.packsKept++;
            totals.bytesKept += parts.packs().lengthBytes(pack);
        }
        return totals.report(manifests, 0, false);
    }

    private static void pause() throws StoreInterruptedException {
        try {
            Thread.sleep(BETWEEN_LOOKS_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreInterruptedException("interrupted while waiting for writers", e);
        }
    }

    /** Unfinished files that are there now: when the writers that are there later on have ended, nobody finishes them any more. */
    private List<Path> temporaries() throws StoreException {
        List<Path> temporaries = new ArrayList<>(parts.packs().temporaries());
        temporaries.addAll(parts.catalog().temporaries());
        temporaries.addAll(parts.catalog().holds().temporaries());
        return temporaries;
    }

    private String temporarySuffix() {
        return HexFormat.of().toHexDigits(parts.random().nextLong());
    }
}
