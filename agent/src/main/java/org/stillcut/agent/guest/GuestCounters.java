package org.stillcut.agent.guest;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stillcut.protocol.Connection;

/**
 * One look of a guest daemon at its job. What the fields mean is in {@code docs/guest-channel.md}.
 *
 * @param initialising threads of ranks that are in MPI_Init or MPI_Finalize, counted in the three before as well
 * @param withoutSlot threads that the gate had no room for
 * @param digest of the connections, if it was asked for
 */
public record GuestCounters(
        long monotonicNanos,
        boolean gateClosed,
        boolean frozen,
        boolean restored,
        int parked,
        int inCall,
        int outside,
        int initialising,
        int withoutSlot,
        long calls,
        List<Connection> connections,
        Optional<Long> digest) {
    private static final int CONNECTION_BYTES = 72;
    private static final int FLAG_WITHIN_VM = 1;
    private static final int FLAG_GUESS = 2;
    private static final int TIMER_WINDOW_PROBE = 4;

    public GuestCounters {
        if (monotonicNanos < 0 || calls < 0) {
            throw new IllegalArgumentException("negative count: clock " + monotonicNanos + ", calls " + calls);
        }
        connections = List.copyOf(connections);
    }

    /** The threads that the gate does not hold now, in words; mostly none. */
    public List<String> notHeld() {
        List<String> notHeld = new ArrayList<>();
        if (withoutSlot > 0) {
            notHeld.add(withoutSlot + " threads for which the gate has no room");
        }
        if (initialising > 0) {
            notHeld.add(initialising + " threads in MPI_Init or MPI_Finalize");
        }
        return notHeld;
    }

    /** Reads what follows the digest; throws what a buffer throws that is too short, or an illegal argument. */
    static GuestCounters read(Optional<Long> digest, ByteBuffer payload) {
        long monotonic = payload.getLong();
        boolean closed = payload.get() != 0;
        byte pump = payload.get();
        boolean frozen = payload.get() != 0;
        boolean restored = payload.get() != 0;
        GuestCounters head = new GuestCounters(
                monotonic,
                closed,
                frozen,
                restored,
                count(payload),
                count(payload),
                count(payload),
                count(payload),
                count(payload),
                payload.getLong(),
                List.of(),
                digest);
        int connections = payload.getInt();
        if (connections < 0 || (long) connections * CONNECTION_BYTES != payload.remaining() || pump < 0) {
            throw new IllegalArgumentException(connections + " connections in " + payload.remaining() + " bytes");
        }
        List<Connection> rows = new ArrayList<>(connections);
        for (int row = 0; row < connections; row++) {
            rows.add(connection(payload));
        }
        return head.with(rows);
    }

    private GuestCounters with(List<Connection> rows) {
        return new GuestCounters(
                monotonicNanos,
                gateClosed,
                frozen,
                restored,
                parked,
                inCall,
                outside,
                initialising,
                withoutSlot,
                calls,
                rows,
                digest);
    }

    private static Connection connection(ByteBuffer payload) {
        var local = GuestAddress.read(payload);
        var remote = GuestAddress.read(payload);
        Connection.State state = state(payload.get());
        int flags = payload.get();
        int timer = payload.get();
        // A byte of padding and the time until the timer, which nobody decides by.
        payload.position(payload.position() + 5);
        return new Connection(
                local,
                remote,
                state,
                (flags & FLAG_WITHIN_VM) != 0,
                timer == TIMER_WINDOW_PROBE,
                (flags & FLAG_GUESS) != 0,
                payload.getLong(),
                payload.getLong(),
                Integer.toUnsignedLong(payload.getInt()),
                Integer.toUnsignedLong(payload.getInt()),
                Integer.toUnsignedLong(payload.getInt()));
    }

    /** The numbers are those of the kernel's tcp_states.h. */
    private static Connection.State state(int state) {
        return switch (state) {
            case 1 -> Connection.State.ESTABLISHED;
            case 2, 3 -> Connection.State.OPENING;
            case 4, 5, 7, 8, 9, 11 -> Connection.State.CLOSING;
            default -> throw new IllegalArgumentException("not a state of a connection: " + state);
        };
    }

    static int count(ByteBuffer payload) {
        int count = payload.getInt();
        if (count < 0) {
            throw new IllegalArgumentException("a count of " + Integer.toUnsignedString(count));
        }
        return count;
    }
}
