package org.stillcut.protocol;

/**
 * The index of a VM within its job, counted from zero. It stays the same over restarts, on whichever node the VM is
 * rebuilt.
 */
public record VmId(int index) implements Comparable<VmId> {
    /** The VM that runs {@code mpirun}, and so the one whose agent is told to start the job. */
    public static final VmId LAUNCHER = new VmId(0);

    public VmId {
        if (index < 0) {
            throw new IllegalArgumentException("a VM index must not be negative: " + index);
        }
    }

    @Override
    public int compareTo(VmId other) {
        return Integer.compare(index, other.index);
    }

    @Override
    public String toString() {
        return "vm" + index;
    }
}
