package org.stillcut.store.prune;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.stillcut.store.PackId;
import org.stillcut.store.manifest.ManifestSweep;

/** Adds up what happens to packs. */
final class PackTotals {

    int packsRemoved;
    long bytesRemoved;
    int packsWritten;
    long bytesWritten;
    int packsKept;
    long bytesKept;

    void count(PackPlan plan, boolean goes) {
        if (goes) {
            packsRemoved++;
            bytesRemoved += plan.lengthBytes();
        } else {
            packsKept++;
            bytesKept += plan.lengthBytes();
        }
    }

    /** Packs that were to go, but have to stay since they are damaged. */
    void keepDamaged(List<PackPlan> going, List<PackId> removable) {
        Set<PackId> removed = new HashSet<>(removable);
        for (PackPlan plan : going) {
            if (!removed.contains(plan.pack())) {
                packsRemoved--;
                bytesRemoved -= plan.lengthBytes();
                packsKept++;
                bytesKept += plan.lengthBytes();
            }
        }
    }

    PruneReport report(ManifestSweep.Result manifests, int temporaries, boolean finished) {
        return new PruneReport(
                manifests.removed().size(),
                manifests.waiting().size(),
                packsRemoved,
                bytesRemoved,
                packsWritten,
                bytesWritten,
                packsKept,
                bytesKept,
                temporaries,
                finished);
    }
}
