package org.stillcut.protocol;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The name of a job: one {@code mpirun}, whatever happens to the VMs it runs in. It is part of file names on every node, so it
 * has nothing in it that means something there.
 */
public record JobId(String value) implements Comparable<JobId> {
    private static final Pattern VALID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    public JobId {
        if (!VALID.matcher(value).matches()) {
            throw new IllegalArgumentException("not a job id: '" + value + "'");
        }
    }

    /** The job id that a person or a peer named; empty if no job can have it. */
    public static Optional<JobId> parse(String text) {
        return VALID.matcher(text).matches() ? Optional.of(new JobId(text)) : Optional.empty();
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
