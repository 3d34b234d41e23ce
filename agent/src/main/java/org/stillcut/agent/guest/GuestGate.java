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

    /** Linux: what was asked for is not there. */
    private static final int ENOTSUP = 95;

    private final GuestChannel channel;

    public GuestGate(GuestChannel channel) {
        this.channel = channel;
    }

    /** From now on the guest lets the job go on by itself when it has heard nothing for so long. */
    public void lease(Duration length) throws GuestException {
        channel.request(GuestMessages.LEASE, GuestMessages.u32(Math.toIntExact(length.toMillis())), ANSWER);
    }

    /**
     * From now on a thread that enters an MPI call waits there, keeping the library's progress engine turning. A lease must
     * run. Nobody is waited for.
     *
     * @return false: this guest has no gate
     */
    public boolean close() throws GuestException {
        try {
            channel.request(GuestMessages.GATE_CLOSE, GuestMessages.u8(1), ANSWER);
            return true;
        } catch (GuestException e) {
            if (e.errno() == ENOTSUP) {
                return false;
            }
            throw e;
        }
    }

    /**
     * As {@link #lease}, for a job that must not have been let go on meanwhile: the guest forgets with the new lease that the one
     * before has run out.
     */
    public void leaseFrozen(Duration length) throws GuestException {
        lease(length);
        if (!counters().frozen()) {
            throw new GuestException(channel.name() + ": the job is not frozen any more: its lease has run out");
        }
    }

    /** Lets ranks pass and the job's processes go on; ends the lease. */
    public void open() throws GuestException {
        channel.request(GuestMessages.THAW_OPEN, GuestMessages.u64(0), THAW);
    }

    /** As {@link #open()}, with the guest's wall clock set before, which stood still since the snapshot. */
    public void open(Instant now) throws GuestException {
        long nanos = Math.addExact(Math.multiplyExact(now.getEpochSecond(), 1_000_000_000L), now.getNano());
        channel.request(GuestMessages.THAW_OPEN, GuestMessages.u64(nanos), THAW);
    }

    /** What was left of a lease when the image was made does not count: the job waits until it is let go on. */
    public void restored() throws GuestException {
        channel.request(GuestMessages.RESTORED, new byte[0], ANSWER);
    }

    /** One look at the job's ranks and connections. */
    public GuestCounters counters() throws GuestException {
        GuestFrame reply = channel.request(GuestMessages.COUNTERS, new byte[0], ANSWER, GuestMessages.COUNTERS_OK);
        return channel.parse(reply, payload -> GuestCounters.read(Optional.empty(), payload));
    }

    /** One look with the digest of all connections. */
    public GuestCounters countersWithDigest() throws GuestException {
        GuestFrame reply = channel.request(GuestMessages.VERIFY, new byte[0], ANSWER, GuestMessages.VERIFY_OK);
        return channel.parse(reply, payload -> GuestCounters.read(Optional.of(payload.getLong()), payload));
    }

    /** What the job is made of, as far as it matters to a checkpoint. */
    public GuestProcesses processes() throws GuestException {
        GuestFrame reply =
                channel.request(GuestMessages.ELIGIBILITY, new byte[0], ANSWER, GuestMessages.ELIGIBILITY_OK);
        return channel.parse(reply, GuestProcesses::read);
    }
}
