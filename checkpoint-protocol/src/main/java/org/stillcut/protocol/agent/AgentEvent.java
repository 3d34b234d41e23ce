package org.stillcut.protocol.agent;

import java.util.SortedMap;
import java.util.TreeMap;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/** What happens at an agent to one job. The shell feeds one at a time. */
public sealed interface AgentEvent {
    /** The coordinator commands a step. */
    record CommandReceived(Command command) implements AgentEvent {}

    /**
     * The work of a command is done for all its VMs. That of interrupted work may still arrive, and is ignored.
     *
     * @param snapshots one for each VM after {@code PERSIST}, otherwise none
     * @param looks what was seen of the VMs' traffic then, after a step that {@linkplain Step#showsTraffic shows} it
     */
    record WorkDone(CommandKey key, SortedMap<VmId, SnapshotRef> snapshots, SortedMap<VmId, VmTraffic> looks)
            implements AgentEvent {
        public WorkDone {
            snapshots = Ordered.map(snapshots);
            looks = Ordered.map(looks);
        }

        public WorkDone(CommandKey key, SortedMap<VmId, SnapshotRef> snapshots) {
            this(key, snapshots, new TreeMap<>());
        }
    }

    /**
     * The work of a command failed for at least one VM.
     *
     * @param cause as far as the coordinator decides by it
     */
    record WorkFailed(CommandKey key, String reason, Cause cause) implements AgentEvent {
        /** What kind of failure it was. */
        public enum Cause {
            STORE_FULL,
            SNAPSHOT_DAMAGED,
            OTHER
        }
    }

    /**
     * The time that the watchdog was armed with is over. It is not prolonged by anything the coordinator sends: it
     * bounds how long a job is held still.
     */
    record CoordinatorSilent(CheckpointId checkpoint) implements AgentEvent {}
}
