package org.stillcut.coordinator.membership;

import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.VmId;

/**
 * A program of the job has asked for a checkpoint.
 *
 * @param number of the wish in this life of the VM
 */
public record Wish(AgentId agent, Incarnation incarnation, VmId vm, long number) {
    /** What a wish comes to. */
    public enum Outcome {
        COMMITTED,
        FAILED,
        UNAVAILABLE
    }
}
