package org.stillcut.protocol.simulation;

import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.coordinator.JobEffect.Outcome;
import org.stillcut.protocol.coordinator.JobRecord;

/** What those who asked for checkpoints were told. */
final class Settlements {
    private final Repository repository;
    private final SortedSet<CheckpointId> startedInThisLife = new TreeSet<>();
    private final SortedSet<CheckpointId> settledInThisLife = new TreeSet<>();
    private final SortedMap<CheckpointId, Boolean> toldCommitted = new TreeMap<>();

    Settlements(Repository repository) {
        this.repository = repository;
    }

    void started(CheckpointId id) {
        Violation.unless(startedInThisLife.add(id), "{} was started twice", id);
    }

    /** Invariant 7: what is told is true, and stays true. */
    void settled(CheckpointId id, Outcome outcome) {
        boolean committed = outcome instanceof Outcome.Committed;
        Violation.unless(committed == repository.isCommitted(id), "{} is told to be {}", id, outcome);
        Violation.unless(settledInThisLife.add(id), "{} was settled twice", id);
        Boolean before = toldCommitted.put(id, committed);
        Violation.unless(before == null || before == committed, "{} is now told to be {}", id, outcome);
    }

    void committing(CheckpointId id) {
        Violation.unless(toldCommitted.getOrDefault(id, true), "{} commits after it was told to be aborted", id);
    }

    void coordinatorDied() {
        startedInThisLife.clear();
        settledInThisLife.clear();
    }

    void checkAtEnd() {
        Violation.unless(
                settledInThisLife.containsAll(startedInThisLife),
                "of {} only {} were settled",
                startedInThisLife,
                settledInThisLife);
    }

    /** Every checkpoint on record has a fate, too. */
    static void checkRecords(List<JobRecord> records, Repository repository) {
        SortedSet<CheckpointId> open = new TreeSet<>();
        for (JobRecord record : records) {
            if (record instanceof JobRecord.CheckpointBegun(CheckpointId id)) {
                Violation.unless(open.add(id), "{} was begun twice", id);
            } else if (record instanceof JobRecord.CheckpointAborted aborted) {
                open.remove(aborted.id());
            }
        }
        open.removeIf(repository::isCommitted);
        Violation.unless(open.isEmpty(), "nobody knows what became of {}", open);
    }
}
