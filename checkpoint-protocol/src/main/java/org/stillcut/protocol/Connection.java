package org.stillcut.protocol;

/**
 * What the kernel of one VM counts for one connection of the job.
 *
 * @param withinVm whether both ends are in this VM
 * @param probesWindow whether the kernel waits for the other end's window to open
 * @param sentIsGuess whether {@code sent} may be wrong by one, as the kernel does not tell who opened the connection
 * @param sent bytes that were sent at least once
 * @param received bytes received in order
 * @param unsent bytes written by the job and never sent
 * @param unread bytes received and not read by the job
 * @param unacknowledged part of {@code sent}
 */
public record Connection(
        Endpoint local,
        Endpoint remote,
        State state,
        boolean withinVm,
        boolean probesWindow,
        boolean sentIsGuess,
        long sent,
        long received,
        long unsent,
        long unread,
        long unacknowledged) {
    /** Refuses negative counts with an {@link IllegalArgumentException}: a kernel has none, but a guest can say anything. */
    public Connection {
        if (sent < 0 || received < 0 || unsent < 0 || unread < 0 || unacknowledged < 0) {
            throw new IllegalArgumentException("negative count of " + local + " to " + remote + ": sent " + sent
                    + ", received " + received + ", unsent " + unsent + ", unread " + unread + ", unacknowledged "
                    + unacknowledged);
        }
    }

    /** As far as the rules tell them apart. */
    public enum State {
        ESTABLISHED,
        OPENING,
        CLOSING
    }

    /** Whether data waits for the other end to read; the zero-window probe alone is on the wire now and then. */
    public boolean isStalled() {
        return unsent > 0 && probesWindow && unacknowledged == 0;
    }

    @Override
    public String toString() {
        return local + " to " + remote;
    }
}
