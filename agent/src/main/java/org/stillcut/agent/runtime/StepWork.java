package org.stillcut.agent.runtime;

import java.util.SortedMap;
import java.util.TreeMap;
import org.stillcut.agent.gang.GangSteps;
import org.stillcut.agent.gang.StepException;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.VmId;

/** What a commanded step is for a gang. */
final class StepWork {
    private StepWork() {}

    /** Does the step and blocks until it is done; returns snapshots after PERSIST only. */
    static SortedMap<VmId, SnapshotRef> perform(GangSteps gang, CommandKey key)
            throws StepException, InterruptedException {
        switch (key.step()) {
            case BOOT -> gang.boot();
            case START -> gang.start();
            case PREPARE -> gang.prepare();
            case QUIESCE -> gang.quiesce();
            case FREEZE -> gang.freeze();
            case PAUSE -> gang.pause();
            case CAPTURE -> gang.capture();
            case RESUME -> gang.resume();
            case PERSIST -> {
                return gang.persist(key.requireCheckpoint());
            }
            case ABORT -> gang.abort();
            case RESTORE -> gang.restore(key.requireCheckpoint());
            case RUN -> gang.run();
            case THAW -> gang.thaw(key.requireCheckpoint());
            case DESTROY -> gang.destroy();
        }
        return new TreeMap<>();
    }
}
