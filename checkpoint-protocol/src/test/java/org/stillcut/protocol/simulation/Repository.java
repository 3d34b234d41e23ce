package org.stillcut.protocol.simulation;

import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.VmId;

/** What is durable: snapshots and commit records. */
final class Repository {
    /** A durable snapshot, with what its agent cannot see: whether the whole job stood still when it was captured. */
    private record Snapshot(Incarnation incarnation, CheckpointId id, VmId vm, boolean cutIsConsistent) {}

    private final SortedMap<SnapshotRef, Snapshot> snapshots = new TreeMap<>();
    private final SortedMap<CheckpointId, SortedMap<VmId, SnapshotRef>> commits = new TreeMap<>();

    SnapshotRef store(Incarnation incarnation, CheckpointId id, VmId vm, boolean cutIsConsistent) {
        SnapshotRef ref = new SnapshotRef(incarnation + "/" + id + "/" + vm);
        snapshots.put(ref, new Snapshot(incarnation, id, vm, cutIsConsistent));
        return ref;
    }

    /** Invariants 1, 3 and 5: a checkpoint that comes to exist is whole, consistent, and the newest. */
    void commit(Incarnation incarnation, SortedSet<VmId> vms, CheckpointId id, SortedMap<VmId, SnapshotRef> refs) {
        Violation.unless(refs.keySet().equals(vms), "{} committed with {} of {}", id, refs.keySet(), vms);
        refs.forEach((vm, ref) -> {
            Snapshot snapshot = snapshots.get(ref);
            Violation.unless(snapshot != null, "{} committed, but {} is not durable", id, ref);
            if (snapshot != null) {
                Violation.unless(
                        snapshot.vm().equals(vm)
                                && snapshot.id().equals(id)
                                && snapshot.incarnation().equals(incarnation),
                        "{} of {} committed with {} for {}",
                        id,
                        incarnation,
                        ref,
                        vm);
                Violation.unless(
                        snapshot.cutIsConsistent(), "{} committed, but {} was captured while a VM ran", id, ref);
            }
        });
        newest(id.job())
                .ifPresent(newest ->
                        Violation.unless(newest.isOlderThan(id), "{} committed after the newer {}", id, newest));
        commits.put(id, new TreeMap<>(refs));
    }

    boolean isCommitted(CheckpointId id) {
        return commits.containsKey(id);
    }

    Optional<CheckpointId> newest(JobId job) {
        return newest(job, Ordered.none());
    }

    Optional<CheckpointId> newest(JobId job, SortedSet<CheckpointId> except) {
        @Nullable CheckpointId newest = null;
        for (CheckpointId id : commits.keySet()) {
            newest = id.job().equals(job) && !except.contains(id) ? id : newest;
        }
        return Optional.ofNullable(newest);
    }

    int commits() {
        return commits.size();
    }
}
