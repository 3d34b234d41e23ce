package org.stillcut.protocol;

/**
 * One life of a job's VMs. The epoch starts at {@link #FIRST_EPOCH} and grows by one with every restart of the job, so
 * that a command for VMs of an earlier life can be told from one for the present ones.
 */
public record Incarnation(JobId job, long epoch) implements Comparable<Incarnation> {
    public static final long FIRST_EPOCH = 1;

    public Incarnation {
        if (epoch < FIRST_EPOCH) {
            throw new IllegalArgumentException("the epoch of job " + job + " must be positive: " + epoch);
        }
    }

    @Override
    public int compareTo(Incarnation other) {
        int byJob = job.compareTo(other.job);
        return byJob != 0 ? byJob : Long.compare(epoch, other.epoch);
    }

    @Override
    public String toString() {
        return job + "#" + epoch;
    }
}
