package org.stillcut.protocol.traffic;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stillcut.protocol.Connection;
import org.stillcut.protocol.Connection.State;
import org.stillcut.protocol.Endpoint;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/**
 * Finds what is still under way between the ends of a job's connections.
 *
 * <p>Receive counts of an older round are compared with send counts of a newer one (Mattern, "Algorithms for distributed
 * termination detection", 1987: the four-counter method reads receivers first): if they are equal, nothing was on the
 * wire at any moment between the two. Of a frozen job with nothing unsent one round says the same, so it may be passed
 * as both.
 */
final class Wire {
    private final Map<Key, End> older = new LinkedHashMap<>();
    private final Map<Key, End> newer = new LinkedHashMap<>();
    private Optional<String> conflict = Optional.empty();

    private record Key(int within, Endpoint local, Endpoint remote) {
        static final int BETWEEN_VMS = -1;

        /**
         * Connections within a VM use the same addresses in every VM. Those over the loopback are told by their address, as the
         * last end of one to close is seen alone.
         */
        static Key of(VmId vm, Connection connection) {
            boolean within = connection.withinVm() || connection.local().isLoopback();
            return new Key(within ? vm.index() : BETWEEN_VMS, connection.local(), connection.remote());
        }

        Key reversed() {
            return new Key(within, remote, local);
        }
    }

    private record End(VmId vm, Connection connection) {
        @Override
        public String toString() {
            return vm + " " + connection;
        }
    }

    private Wire(Round older, Round newer) {
        fill(this.older, older);
        fill(this.newer, newer);
    }

    private void fill(Map<Key, End> ends, Round round) {
        for (VmTraffic vm : round.vms().values()) {
            for (Connection connection : vm.connections()) {
                End end = new End(vm.vm(), connection);
                End same = ends.put(Key.of(vm.vm(), connection), end);
                if (same != null) {
                    conflict = Optional.of(end + " is shown by " + same.vm() + ", too");
                }
            }
        }
    }

    /**
     * The first connection found that is not at rest.
     *
     * @param stalls which have seen the newer round
     * @return what is the matter with it, for a person; empty: nothing is under way
     */
    static Optional<String> underWay(Round older, Round newer, Stalls stalls) {
        Wire wire = new Wire(older, newer);
        if (wire.conflict.isPresent()) {
            return wire.conflict;
        }
        for (Map.Entry<Key, End> entry : wire.newer.entrySet()) {
            Optional<String> trouble = wire.trouble(entry.getKey(), entry.getValue(), stalls);
            if (trouble.isPresent()) {
                return trouble;
            }
        }
        return Optional.empty();
    }

    private Optional<String> trouble(Key key, End end, Stalls stalls) {
        Connection connection = end.connection();
        if (connection.state() == State.OPENING) {
            return Optional.of(end + " is being opened");
        }
        if (connection.unacknowledged() > 0) {
            return Optional.of(end + ": " + connection.unacknowledged() + " bytes are not acknowledged");
        }
        if (connection.unsent() > 0 && !stalls.isAtRest(end.vm(), connection)) {
            return Optional.of(end + ": " + connection.unsent() + " bytes are not sent yet");
        }
        if (connection.unsent() > 0 && hasRoom(newer.get(key.reversed()))) {
            return Optional.of(
                    end + ": " + connection.unsent() + " bytes are not sent yet, and the other end has room");
        }
        return otherEnd(key, end);
    }

    /**
     * Whether an end has read all there was. Then its window is open, and if the word of that was lost, the next probe of the
     * sender, which may be later than any patience with stalls, sets the data in motion.
     */
    private static boolean hasRoom(@Nullable End end) {
        return end != null && end.connection().unread() == 0;
    }

    private Optional<String> otherEnd(Key key, End end) {
        End other = older.get(key.reversed());
        if (other == null) {
            // An end that is closed for good has left the kernel's table: the last to close is seen alone for a while.
            return end.connection().state() == State.CLOSING
                    ? Optional.empty()
                    : Optional.of(end + " has no other end in the job");
        }
        if (end.connection().sentIsGuess() || end.connection().state() == State.CLOSING) {
            // Everything is acknowledged, so it has arrived; the count alone cannot tell, as it may include the FIN.
            return Optional.empty();
        }
        long onTheWire = end.connection().sent() - other.connection().received();
        return onTheWire == 0 ? Optional.empty() : Optional.of(end + ": " + onTheWire + " bytes are on the wire");
    }
}
