package org.stillcut.coordinator.membership;

import java.time.Instant;

/** A node as it is seen just now. */
public record NodeStatus(NodeProfile profile, State state, Instant lastHeard) {
    /** Whether its agent can be reached. */
    public enum State {
        UP,
        /** The session is broken, the node is not yet given up. */
        SILENT,
        LOST
    }
}
