package org.stillcut.coordinator.catalog;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.Watch;
import org.stillcut.protocol.coordinator.JobExit;
import org.stillcut.protocol.coordinator.JobRecord;

/** One record of each kind, of a job with two VMs on two nodes. */
final class SampleRecords {
    static final JobId JOB = new JobId("solver-0001");
    static final AgentId A = new AgentId("a");
    static final AgentId B = new AgentId("b.example.org");
    static final CheckpointId FIRST = new CheckpointId(JOB, 1);

    private SampleRecords() {}

    static Placement placement() {
        SortedMap<AgentId, SortedSet<VmId>> vms = new TreeMap<>();
        vms.put(A, new TreeSet<>(List.of(new VmId(0))));
        vms.put(B, new TreeSet<>(List.of(new VmId(1), new VmId(2))));
        return new Placement(vms);
    }

    static JobRecord created() {
        return new JobRecord.JobCreated(JOB, placement(), 3);
    }

    static List<CheckpointFailure> failures() {
        return List.of(
                new CheckpointFailure.AgentLost(A),
                new CheckpointFailure.VmLost(A, new VmId(1), "QEMU: \"killed\"\n"),
                new CheckpointFailure.DeadlinePassed(Step.FREEZE, new TreeSet<>(List.of(A, B))),
                new CheckpointFailure.StepFailed(B, Step.CAPTURE, "no"),
                new CheckpointFailure.StoreFull(A, "ENOSPC"),
                new CheckpointFailure.SnapshotDamaged(A, "bad"),
                new CheckpointFailure.Superseded(A, "epoch 1 < 2"),
                new CheckpointFailure.CoordinatorRestarted(),
                new CheckpointFailure.TrafficRefused(Watch.VERIFY, "7 bytes on the wire"),
                new CheckpointFailure.JobEnded(),
                new CheckpointFailure.CommitFailed("disk"));
    }

    static List<JobExit> exits() {
        return List.of(
                new JobExit.Exited(137),
                new JobExit.Cancelled("by its user"),
                new JobExit.NeverStarted(new CheckpointFailure.AgentLost(B)));
    }

    static List<JobRecord> all() {
        List<JobRecord> records = new ArrayList<>(List.of(
                created(),
                new JobRecord.JobAdopted(JOB, placement(), 3, 4),
                new JobRecord.VmsReady(1),
                new JobRecord.CutConfirmed(2),
                new JobRecord.CheckpointBegun(FIRST),
                new JobRecord.CheckpointCommitted(FIRST),
                new JobRecord.RestartDecided(2, FIRST, placement()),
                new JobRecord.JobLost("no room"),
                new JobRecord.JobClosed()));
        failures().forEach(failure -> records.add(new JobRecord.CheckpointAborted(FIRST, failure)));
        exits().forEach(exit -> records.add(new JobRecord.JobEnded(exit)));
        return records;
    }
}
