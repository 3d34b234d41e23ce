package org.stillcut.protocol.traffic;

/**
 * Looks at rounds, one after the other, until it can say something. Not thread-safe; the clock and the way to the VMs are
 * the shell's.
 */
public interface TrafficWatch {
    /** What the watch concludes from the rounds so far. */
    sealed interface Verdict {
        /**
         * Nothing yet: another round is needed.
         *
         * @param waitingFor for a person
         */
        record Open(String waitingFor) implements Verdict {}

        /** All is as it must be. */
        record Good() implements Verdict {}

        /** It is not, and waiting will not help. */
        record Refused(String reason) implements Verdict {}
    }

    /** Takes the next round. */
    Verdict look(Round round);

    /**
     * The time for the watch is over and no verdict was given.
     *
     * @return {@code Good} or {@code Refused}
     */
    Verdict timeIsUp();
}
