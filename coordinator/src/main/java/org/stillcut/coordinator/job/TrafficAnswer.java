package org.stillcut.coordinator.job;

import java.util.List;
import java.util.Optional;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.VmTraffic;

/**
 * What an agent has seen of a job's traffic in a round.
 *
 * @param failure why it could not look, if it could not
 */
public record TrafficAnswer(
        AgentId agent, Incarnation incarnation, long round, List<VmTraffic> looks, Optional<String> failure) {
    public TrafficAnswer {
        looks = List.copyOf(looks);
    }
}
