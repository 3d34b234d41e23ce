package org.stillcut.store;

import java.time.Instant;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The content of a commit record: a whole, consistent checkpoint of a job. Immutable.
 *
 * @param job name of the job, see {@link JobName}
 * @param sequence number of the checkpoint within the job
 * @param epoch epoch of the coordinator that commits it
 * @param created when the coordinator decided, for people only; part of what makes two commits equal, so a repeat must carry the same value
 * @param snapshots the snapshot of each VM, by the VM's index; at least one
 * @param attributes strings that the store keeps and does not read: job description, output offsets, statistics
 */
public record CheckpointManifest(
        String job,
        long sequence,
        long epoch,
        Instant created,
        SortedMap<Integer, SnapshotRef> snapshots,
        SortedMap<String, String> attributes) {

    /** Checks the values and copies the maps. */
    public CheckpointManifest {
        JobName.require(job);
        if (sequence < 0 || epoch < 0) {
            throw new IllegalArgumentException("negative number: sequence " + sequence + ", epoch " + epoch);
        }
        if (snapshots.isEmpty() || snapshots.firstKey() < 0) {
            throw new IllegalArgumentException("a checkpoint has snapshots with indexes from 0, not " + snapshots);
        }
        snapshots = Collections.unmodifiableSortedMap(new TreeMap<>(snapshots));
        attributes = Collections.unmodifiableSortedMap(new TreeMap<>(attributes));
    }

    /** The snapshot of the VM with this index; fails when the checkpoint has none. */
    public SnapshotRef snapshot(int vmIndex) throws StoreMissingException {
        @Nullable SnapshotRef snapshot = snapshots.get(vmIndex);
        if (snapshot == null) {
            throw new StoreMissingException(
                    "no VM " + vmIndex + " in checkpoint " + sequence + " of job " + job + ", only "
                            + snapshots.keySet(),
                    null);
        }
        return snapshot;
    }
}
