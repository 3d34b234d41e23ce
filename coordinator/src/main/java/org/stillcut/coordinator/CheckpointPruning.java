package org.stillcut.coordinator;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.catalog.CheckpointPolicy;
import org.stillcut.protocol.JobId;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.manifest.CheckpointKeeper;
import org.stillcut.store.manifest.Retention;

/**
 * Forgets checkpoints that a job's own rules do not keep. Only those whose records can be read count, and the newest of them
 * always stays, so damage never makes the last good one go. Thread-safe, and safe beside others who forget.
 */
final class CheckpointPruning {
    private static final Logger log = LoggerFactory.getLogger(CheckpointPruning.class);

    private final CheckpointCatalog catalog;

    CheckpointPruning(CheckpointCatalog catalog) {
        this.catalog = catalog;
    }

    /** Forgets what may go; what fails is logged, and tried again after the next checkpoint. */
    void forget(JobId job, CheckpointPolicy policy) {
        if (!policy.forgets()) {
            return;
        }
        Retention rules = new Retention(
                policy.keepLast(),
                policy.keepHourly(),
                policy.keepDaily(),
                policy.keepWeekly(),
                Optional.empty(),
                new TreeSet<>());
        CheckpointKeeper keeper = new CheckpointKeeper(catalog);
        try {
            for (long sequence : rules.forgettable(readable(job.value()))) {
                forget(keeper, new CheckpointRef(job.value(), sequence));
            }
        } catch (StoreException e) {
            log.warn("job {}: old checkpoints are not forgotten now", job, e);
        }
    }

    private static void forget(CheckpointKeeper keeper, CheckpointRef checkpoint) throws StoreException {
        try {
            keeper.forget(checkpoint);
        } catch (StoreConflictException | StoreMissingException e) {
            log.info("{} is not forgotten now: {}", checkpoint, e.getMessage());
        }
    }

    private List<Retention.Candidate> readable(String job) throws StoreException {
        List<Retention.Candidate> candidates = new ArrayList<>();
        for (long sequence : catalog.listCheckpoints(job)) {
            try {
                Optional<CheckpointManifest> found = catalog.findCheckpoint(job, sequence);
                if (found.isPresent()) {
                    candidates.add(new Retention.Candidate(
                            sequence, found.get().created(), catalog.marks().read(new CheckpointRef(job, sequence))));
                }
            } catch (StoreCorruptException e) {
                log.warn("job {}: checkpoint {} is damaged and neither counted nor forgotten", job, sequence);
            }
        }
        return candidates;
    }
}
