package org.stillcut.coordinator.membership;

import java.util.SortedSet;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Incarnation;

/** Hears who comes and goes. Must not block. */
public interface MembershipListener {
    /** An agent has a session, a new one or a new one after a broken one; it holds VMs of these incarnations. */
    void agentConnected(AgentId agent, SortedSet<Incarnation> held);

    /** An agent was not heard for too long and is given up, until it connects again. */
    void agentLost(AgentId agent);
}
