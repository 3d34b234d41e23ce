package org.stillcut.protocol.agent;

import java.util.SortedMap;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.VmId;

/**
 * How the newest checkpoint ended at this agent. One is enough to remember: sequences grow, so whatever is older is over,
 * however it ended.
 */
public sealed interface Fate {
    CheckpointId id();

    /** Its snapshots are durable; whether it was committed the agent does not know. */
    record Persisted(CheckpointId id, SortedMap<VmId, SnapshotRef> snapshots) implements Fate {
        public Persisted {
            snapshots = Ordered.map(snapshots);
        }
    }

    /** It was undone, and nothing will ever be answered for it but that. */
    record Aborted(CheckpointId id) implements Fate {}
}
