package org.stillcut.protocol.traffic;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.stillcut.protocol.Connection;
import org.stillcut.protocol.Connection.State;
import org.stillcut.protocol.Endpoint;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/** One look at one VM, put together by a test: all ranks parked and the gate closed unless it says otherwise. */
final class Seen {
    private final VmId vm;
    private final List<Connection> connections = new ArrayList<>();
    private Duration at = Duration.ZERO;
    private boolean gateClosed = true;
    private boolean frozen;
    private int parked = 1;
    private int inCall;
    private int outside;
    private long calls;
    private List<String> notHeld = List.of();
    private long digest;

    private Seen(int vm) {
        this.vm = new VmId(vm);
    }

    static Seen vm(int index) {
        return new Seen(index);
    }

    static Round round(Seen... seen) {
        return Round.of(Arrays.stream(seen).map(Seen::look).toList());
    }

    Seen at(long millis) {
        at = Duration.ofMillis(millis);
        return this;
    }

    Seen frozen() {
        frozen = true;
        return this;
    }

    Seen gateOpen() {
        gateClosed = false;
        return this;
    }

    Seen ranks(int parkedRanks, int inCalls, int computing) {
        parked = parkedRanks;
        inCall = inCalls;
        outside = computing;
        return this;
    }

    Seen calls(long completed) {
        calls = completed;
        return this;
    }

    Seen notHeld(String... processes) {
        notHeld = List.of(processes);
        return this;
    }

    Seen digest(long shown) {
        digest = shown;
        return this;
    }

    Seen with(End end) {
        connections.add(end.connection());
        return this;
    }

    VmTraffic look() {
        return new VmTraffic(
                vm,
                at.toNanos(),
                gateClosed,
                frozen,
                false,
                parked,
                inCall,
                outside,
                calls,
                notHeld,
                connections,
                digest);
    }

    /** One end of a connection: at rest and nothing sent, unless it says otherwise. */
    static final class End {
        private final Endpoint local;
        private final Endpoint remote;
        private State state = State.ESTABLISHED;
        private boolean withinVm;
        private boolean probes;
        private boolean guess;
        private long sent;
        private long received;
        private long unsent;
        private long unread;
        private long unacknowledged;

        private End(Endpoint local, Endpoint remote) {
            this.local = local;
            this.remote = remote;
        }

        /** The end in the first VM of the connection between the first two. */
        static End a() {
            return between("10.0.0.1", 4000, "10.0.0.2", 5000);
        }

        /** Its other end. */
        static End b() {
            return between("10.0.0.2", 5000, "10.0.0.1", 4000);
        }

        static End between(String address, int port, String toAddress, int toPort) {
            return new End(new Endpoint(address, port), new Endpoint(toAddress, toPort));
        }

        End counts(long sentBytes, long receivedBytes) {
            sent = sentBytes;
            received = receivedBytes;
            return this;
        }

        End unsent(long bytes) {
            unsent = bytes;
            return this;
        }

        End unread(long bytes) {
            unread = bytes;
            return this;
        }

        End unacknowledged(long bytes) {
            unacknowledged = bytes;
            return this;
        }

        End probes() {
            probes = true;
            return this;
        }

        End guess() {
            guess = true;
            return this;
        }

        End within() {
            withinVm = true;
            return this;
        }

        End is(State other) {
            state = other;
            return this;
        }

        Connection connection() {
            return new Connection(
                    local, remote, state, withinVm, probes, guess, sent, received, unsent, unread, unacknowledged);
        }
    }
}
