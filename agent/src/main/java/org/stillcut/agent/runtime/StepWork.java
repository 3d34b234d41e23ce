package org.stillcut.agent.runtime;

import java.util.SortedMap;
import java.util.TreeMap;
import org.stillcut.agent.gang.GangSteps;
import org.stillcut.agent.gang.StepException;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.protocol.agent.AgentEvent.WorkDone;

/** What a commanded step is for a gang. */
final class StepWork {
    private StepWork() {}

    /** Does the step and blocks until it is done; returns that, with what there is to tell of it. */
    static WorkDone perform(GangSteps gang, CommandKey key) throws StepException, InterruptedException {
        SortedMap<VmId, SnapshotRef> snapshots = new TreeMap<>();
        SortedMap<VmId, VmTraffic> looks = new TreeMap<>();
        switch (key.step()) {
            case BOOT -> gang.boot();
            case START -> gang.start();
            case PREPARE -> gang.prepare();
            case QUIESCE -> looks = gang.quiesce();
            case FREEZE -> looks = gang.freeze();
            case PAUSE -> looks = gang.pause();
            case CAPTURE -> gang.capture();
            case RESUME -> gang.resume();
            case PERSIST -> snapshots = gang.persist(key.requireCheckpoint());
            case ABORT -> gang.abort();
            case RESTORE -> gang.restore(key.requireCheckpoint());
            case RUN -> gang.run();
            case THAW -> gang.thaw(key.requireCheckpoint());
            case DESTROY -> gang.destroy();
        }
        return new WorkDone(key, snapshots, looks);
    }
}
