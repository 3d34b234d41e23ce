package org.stillcut.protocol;

import java.util.SortedMap;
import java.util.TreeMap;

/** An agent's answer to one {@link Command}. The same command, repeated, is given the same answer. */
public sealed interface Report {
    AgentId agent();

    /** Which command this answers. */
    CommandKey key();

    /** The step is done for all VMs named. Only {@link Step#PERSIST} carries snapshots: one for each VM. */
    record Done(AgentId agent, CommandKey key, SortedMap<VmId, SnapshotRef> snapshots) implements Report {
        public Done {
            if (!snapshots.isEmpty() && key.step() != Step.PERSIST) {
                throw new IllegalArgumentException(key + " carries no snapshots: " + snapshots);
            }
            snapshots = Ordered.map(snapshots);
        }

        public Done(AgentId agent, CommandKey key) {
            this(agent, key, new TreeMap<>());
        }
    }

    /** The step was refused, or was begun and failed; the agent has not undone what was done of it. */
    record Failed(AgentId agent, CommandKey key, CheckpointFailure failure) implements Report {}
}
