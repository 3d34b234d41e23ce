package org.stillcut.protocol;

/** What the store calls one VM's durable snapshot: a digest that the protocol carries and never looks into. */
public record SnapshotRef(String value) implements Comparable<SnapshotRef> {
    public SnapshotRef {
        if (value.isBlank()) {
            throw new IllegalArgumentException("a snapshot reference must not be blank");
        }
    }

    @Override
    public int compareTo(SnapshotRef other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
