package org.stillcut.agent.guest;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The requests to a guest daemon that bring the job's traffic to rest, tell how far it is, and let it go on. Thread-safe; each
 * request blocks until it is answered and may be repeated.
 */
public final class GuestGate {
    private static final Duration ANSWER = Duration.ofSeconds(5);
    private static final Duration THAW = Duration.ofSeconds(10);

    /** What a freeze may take longer than the guest's own deadline for it. */
    private static final Duration ANSWER_SLACK = Duration.ofSeconds(2);

    /** Linux: what was asked for is not there. */
    private static final int ENOTSUP = 95;

    private final GuestChannel channel;

    public GuestGate(GuestChannel channel) {
        this.channel = channel;
    }

    /**
     * Grants a lease: the guest lets the job go on by itself when it has heard nothing for so long. With {@code close}, from
     * now on a thread that enters an MPI call waits there, keeping the library's progress engine turning; nobody is
     * waited for.
     *
     * @return a look taken then; its gate is open if it was not to be closed, or if this guest has none
     */
    public GuestCounters hold(Duration lease, boolean close) throws GuestException {
        try (GuestCall granted = askLease(lease, ANSWER);
                GuestCall closed = close ? askClose() : granted;
                GuestCall look = askLook(false, ANSWER)) {
            granted.await();
            if (close) {
                awaitClosed(closed);
            }
            return counters(look, false);
        }
    }

    private static void awaitClosed(GuestCall closed) throws GuestException {
        try {
            closed.await();
        } catch (GuestException e) {
            if (e.errno() != ENOTSUP) {
                throw e;
            }
        }
    }

    /**
     * Renews the lease and freezes all processes of the job in this VM; when it fails they run.
     *
     * @param deadline for the freeze
     * @return a look with the digest, taken when they were frozen
     */
    public GuestCounters freeze(Duration lease, Duration deadline) throws GuestException {
        // The guest answers what comes together when all of it is done.
        Duration together = deadline.plus(ANSWER_SLACK);
        try (GuestCall granted = askLease(lease, together);
                GuestCall frozen = channel.ask(
                        GuestMessages.FREEZE,
                        GuestMessages.u32(Math.toIntExact(deadline.toMillis())),
                        together,
                        GuestMessages.OK);
                GuestCall look = askLook(true, together)) {
            granted.await();
            frozen.await();
            return counters(look, true);
        }
    }

    /**
     * Renews the lease of a job that must have been frozen all the time: the guest forgets with the new lease that the one before
     * has run out.
     *
     * @return a look with the digest, taken then
     */
    public GuestCounters renewFrozen(Duration lease) throws GuestException {
        try (GuestCall granted = askLease(lease, ANSWER);
                GuestCall look = askLook(true, ANSWER)) {
            granted.await();
            GuestCounters counters = counters(look, true);
            if (!counters.frozen()) {
                throw new GuestException(channel.name() + ": the job is not frozen any more: its lease has run out");
            }
            return counters;
        }
    }

    /** Lets ranks pass and the job's processes go on; ends the lease. */
    public void open() throws GuestException {
        try (GuestCall opened = askOpen()) {
            opened.await();
        }
    }

    /** As {@link #open()}, to be awaited: the guest may have to be set going before it can answer. */
    public GuestCall askOpen() throws GuestException {
        return askOpen(0);
    }

    /** As {@link #open()}, with the guest's wall clock set before, which stood still since the snapshot. */
    public void open(Instant now) throws GuestException {
        long nanos = Math.addExact(Math.multiplyExact(now.getEpochSecond(), 1_000_000_000L), now.getNano());
        try (GuestCall opened = askOpen(nanos)) {
            opened.await();
        }
    }

    private GuestCall askOpen(long realtimeNanos) throws GuestException {
        return channel.ask(GuestMessages.THAW_OPEN, GuestMessages.u64(realtimeNanos), THAW, GuestMessages.OK);
    }

    /** What was left of a lease when the image was made does not count: the job waits until it is let go on. */
    public void restored() throws GuestException {
        channel.request(GuestMessages.RESTORED, new byte[0], ANSWER);
    }

    /**
     * One look at the job's ranks and connections.
     *
     * @param digest whether that of the connections is wanted, too
     */
    public GuestCounters counters(boolean digest) throws GuestException {
        try (GuestCall look = askLook(digest, ANSWER)) {
            return counters(look, digest);
        }
    }

    private GuestCall askLease(Duration length, Duration patience) throws GuestException {
        byte[] millis = GuestMessages.u32(Math.toIntExact(length.toMillis()));
        return channel.ask(GuestMessages.LEASE, millis, patience, GuestMessages.OK);
    }

    private GuestCall askClose() throws GuestException {
        return channel.ask(GuestMessages.GATE_CLOSE, GuestMessages.u8(1), ANSWER, GuestMessages.OK);
    }

    private GuestCall askLook(boolean digest, Duration patience) throws GuestException {
        return digest
                ? channel.ask(GuestMessages.VERIFY, new byte[0], patience, GuestMessages.VERIFY_OK)
                : channel.ask(GuestMessages.COUNTERS, new byte[0], patience, GuestMessages.COUNTERS_OK);
    }

    private GuestCounters counters(GuestCall look, boolean digest) throws GuestException {
        return channel.parse(
                look.await(),
                payload -> GuestCounters.read(digest ? Optional.of(payload.getLong()) : Optional.empty(), payload));
    }

    /** What the job is made of, as far as it matters to a checkpoint. */
    public GuestProcesses processes() throws GuestException {
        GuestFrame reply =
                channel.request(GuestMessages.ELIGIBILITY, new byte[0], ANSWER, GuestMessages.ELIGIBILITY_OK);
        return channel.parse(reply, GuestProcesses::read);
    }
}
