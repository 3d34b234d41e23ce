package org.stillcut.protocol;

import java.util.SortedMap;
import java.util.TreeMap;

/** An agent's answer to one {@link Command}. The same command, repeated, is given the same answer. */
public sealed interface Report {
    AgentId agent();

    /** Which command this answers. */
    CommandKey key();

    /**
     * The step is done for all VMs named.
     *
     * @param snapshots one for each VM after {@link Step#PERSIST}, otherwise none
     * @param looks what was seen of the VMs' traffic after the step, if it {@linkplain Step#showsTraffic shows} that
     */
    record Done(AgentId agent, CommandKey key, SortedMap<VmId, SnapshotRef> snapshots, SortedMap<VmId, VmTraffic> looks)
            implements Report {
        public Done {
            if (!snapshots.isEmpty() && key.step() != Step.PERSIST) {
                throw new IllegalArgumentException(key + " carries no snapshots: " + snapshots);
            }
            if (!looks.isEmpty() && !key.step().showsTraffic()) {
                throw new IllegalArgumentException(key + " shows no traffic: " + looks.keySet());
            }
            snapshots = Ordered.map(snapshots);
            looks = Ordered.map(looks);
        }

        public Done(AgentId agent, CommandKey key, SortedMap<VmId, SnapshotRef> snapshots) {
            this(agent, key, snapshots, new TreeMap<>());
        }

        public Done(AgentId agent, CommandKey key) {
            this(agent, key, new TreeMap<>(), new TreeMap<>());
        }
    }

    /** The step was refused, or was begun and failed; the agent has not undone what was done of it. */
    record Failed(AgentId agent, CommandKey key, CheckpointFailure failure) implements Report {}
}
