package org.stillcut.protocol.coordinator;

import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Ordered;

/**
 * How often a job is restarted without a person, and from what. A restart spends one; a committed checkpoint, which is
 * progress, refills it. So a job that dies again and again at the same place ends as lost instead of turning in a circle.
 *
 * @param failures how much speaks against checkpoints that restarts have failed from
 */
public record RestartBudget(int left, int limit, SortedMap<CheckpointId, Integer> failures) {
    /** So much, and a checkpoint is not tried again: one failure may be the node's. */
    private static final int DISTRUSTED = 2;

    public RestartBudget {
        if (limit < 0 || left < 0 || left > limit) {
            throw new IllegalArgumentException(left + " of " + limit + " restarts left");
        }
        failures = Ordered.map(failures);
    }

    public RestartBudget(int left, int limit) {
        this(left, limit, new TreeMap<>());
    }

    public static RestartBudget full(int limit) {
        return new RestartBudget(limit, limit);
    }

    public boolean isSpent() {
        return left == 0;
    }

    RestartBudget refilled() {
        return full(limit);
    }

    /** One less; a restart by hand may be made with nothing left. */
    RestartBudget spend() {
        return new RestartBudget(Math.max(0, left - 1), limit, failures);
    }

    /**
     * A restart from the checkpoint has failed.
     *
     * @param forGood whether it would fail from there again, wherever it was tried
     */
    RestartBudget failedFrom(CheckpointId checkpoint, boolean forGood) {
        SortedMap<CheckpointId, Integer> changed = new TreeMap<>(failures);
        changed.merge(checkpoint, forGood ? DISTRUSTED : 1, Integer::sum);
        return new RestartBudget(left, limit, changed);
    }

    /** The checkpoints that the job should not be restarted from by itself any more. */
    public SortedSet<CheckpointId> distrusted() {
        SortedMap<CheckpointId, Integer> bad = new TreeMap<>(failures);
        bad.values().removeIf(count -> count < DISTRUSTED);
        return Ordered.set(Map.copyOf(bad).keySet());
    }
}
