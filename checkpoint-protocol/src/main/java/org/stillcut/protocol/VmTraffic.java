package org.stillcut.protocol;

import java.util.List;

/**
 * One look at the job in one VM. The gate was counted before the connections, and not all of them at one instant: only
 * what stays the same in two looks is true, and only of a frozen job does it stay.
 *
 * @param monotonicNanos the guest's monotonic clock, which stands still while the VM does
 * @param gateClosed whether a rank that enters an MPI call is parked there
 * @param restored whether the VM was restored and its job not thawed since
 * @param parked threads of ranks that wait at the gate
 * @param inCall threads of ranks within an MPI call, perhaps blocked by a parked one
 * @param outside threads of ranks that compute
 * @param calls MPI calls completed since the VM's boot
 * @param notHeld processes that use MPI and cannot be parked, for a person; empty: the gate holds all
 * @param digest of the connections, as the guest computed it; zero when it was not asked for
 */
public record VmTraffic(
        VmId vm,
        long monotonicNanos,
        boolean gateClosed,
        boolean frozen,
        boolean restored,
        int parked,
        int inCall,
        int outside,
        long calls,
        List<String> notHeld,
        List<Connection> connections,
        long digest) {
    /** Refuses negative counts with an {@link IllegalArgumentException}: what a guest says is input. */
    public VmTraffic {
        if (monotonicNanos < 0 || parked < 0 || inCall < 0 || outside < 0 || calls < 0) {
            throw new IllegalArgumentException("negative count of " + vm + ": clock " + monotonicNanos + ", parked "
                    + parked + ", in calls " + inCall + ", outside " + outside + ", calls " + calls);
        }
        notHeld = List.copyOf(notHeld);
        connections = List.copyOf(connections);
    }

    public boolean allParked() {
        return inCall == 0 && outside == 0;
    }

    public long bytesMoved() {
        return connections.stream()
                .mapToLong(connection -> connection.sent() + connection.received())
                .sum();
    }

    public long bytesUnread() {
        return connections.stream().mapToLong(Connection::unread).sum();
    }

    public long bytesUnsent() {
        return connections.stream().mapToLong(Connection::unsent).sum();
    }
}
