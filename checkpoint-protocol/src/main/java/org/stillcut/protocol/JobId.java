package org.stillcut.protocol;

/** The name of a job: one {@code mpirun}, whatever happens to the VMs it runs in. */
public record JobId(String value) implements Comparable<JobId> {
    public JobId {
        if (value.isBlank()) {
            throw new IllegalArgumentException("a job id must not be blank");
        }
    }

    @Override
    public int compareTo(JobId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
