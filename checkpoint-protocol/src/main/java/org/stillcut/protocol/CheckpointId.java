package org.stillcut.protocol;

/**
 * The name of a checkpoint. The sequence grows over the whole life of a job and never starts again, not even when the
 * job is restarted from an older checkpoint; a number that was begun and aborted is not used again.
 */
public record CheckpointId(JobId job, long sequence) implements Comparable<CheckpointId> {
    public CheckpointId {
        if (sequence < 1) {
            throw new IllegalArgumentException("a checkpoint of job " + job + " must be positive: " + sequence);
        }
    }

    /** Whether this checkpoint was begun before the other; both must be of the same job. */
    public boolean isOlderThan(CheckpointId other) {
        if (!job.equals(other.job)) {
            throw new IllegalArgumentException("checkpoints of two jobs have no order in time: " + this + ", " + other);
        }
        return sequence < other.sequence;
    }

    @Override
    public int compareTo(CheckpointId other) {
        int byJob = job.compareTo(other.job);
        return byJob != 0 ? byJob : Long.compare(sequence, other.sequence);
    }

    @Override
    public String toString() {
        return job + "@" + sequence;
    }
}
