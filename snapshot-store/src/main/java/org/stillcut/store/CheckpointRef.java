package org.stillcut.store;

import java.util.Comparator;

/** Which checkpoint: of one job, the one with this number. Ordered by job, then number. */
public record CheckpointRef(String job, long sequence) implements Comparable<CheckpointRef> {

    private static final Comparator<CheckpointRef> ORDER =
            Comparator.comparing(CheckpointRef::job).thenComparingLong(CheckpointRef::sequence);

    /** Checks the values. */
    public CheckpointRef {
        JobName.require(job);
        if (sequence < 0) {
            throw new IllegalArgumentException("sequence " + sequence + " is negative");
        }
    }

    /** The checkpoint of this manifest. */
    public static CheckpointRef of(CheckpointManifest manifest) {
        return new CheckpointRef(manifest.job(), manifest.sequence());
    }

    @Override
    public int compareTo(CheckpointRef other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return job + "@" + sequence;
    }
}
