package org.stillcut.cli;

import org.stillcut.v1.Checkpoint;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobEvent;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.JobSpec;
import org.stillcut.v1.Node;
import org.stillcut.v1.NodeDescription;
import org.stillcut.v1.NodeState;
import org.stillcut.v1.Quiescence;
import org.stillcut.v1.SnapshotSummary;
import org.stillcut.v1.StepTime;
import org.stillcut.v1.VmPlacement;

/** One job, checkpoint and node each, with every field set. */
final class Samples {
    private static final long TIME = 1_767_323_045_678L;

    private Samples() {}

    /** What a guest sends of a directory in which nothing has changed. */
    static byte[] noFiles() {
        return new FileStream(true).end();
    }

    static Job running() {
        return Job.newBuilder()
                .setJobId("heat-0001")
                .setSpec(JobSpec.newBuilder().setVmCount(2))
                .setPhase(JobPhase.JOB_PHASE_RUNNING)
                .setEpoch(2)
                .addPlacement(VmPlacement.newBuilder().setVm(0).setNode("a"))
                .addPlacement(VmPlacement.newBuilder().setVm(1).setNode("b"))
                .setNewestCheckpoint(2)
                .setRestarts(1)
                .setCreatedUnixMillis(TIME)
                .addEvents(JobEvent.newBuilder().setUnixMillis(TIME).setText("running, epoch 2"))
                .build();
    }

    static Job ended(int exitStatus) {
        return running().toBuilder()
                .setPhase(JobPhase.JOB_PHASE_ENDED)
                .setExitStatus(exitStatus)
                .build();
    }

    static Job lost() {
        return running().toBuilder()
                .setPhase(JobPhase.JOB_PHASE_LOST)
                .setReason("node b was lost, and no room")
                .build();
    }

    static Checkpoint checkpoint(long sequence) {
        return Checkpoint.newBuilder()
                .setJobId("heat-0001")
                .setSequence(sequence)
                .setEpoch(1)
                .setCreatedUnixMillis(TIME)
                .addSnapshots(SnapshotSummary.newBuilder()
                        .setVm(0)
                        .setNode("a")
                        .setImageBytes(3L << 30)
                        .setStoredBytes(5L << 20))
                .addSnapshots(SnapshotSummary.newBuilder()
                        .setVm(1)
                        .setNode("b")
                        .setImageBytes(1L << 30)
                        .setStoredBytes(1L << 20))
                .addSteps(StepTime.newBuilder().setStep("prepare").setMicros(1_500_000))
                .addSteps(StepTime.newBuilder()
                        .setStep("freeze")
                        .setMicros(12_300)
                        .setBeganUnixMicros(TIME * 1000 + 7))
                .setPauseMicros(12_300)
                .setQuiescence(Quiescence.newBuilder()
                        .setGated(true)
                        .setForcedBecause("vm1: 1 threads are in MPI calls, 0 compute")
                        .setConnections(3)
                        .setUnreadBytes(4096)
                        .setDrainRounds(17)
                        .setVerifyRounds(1)
                        .addDigests(-2)
                        .addDigests(10))
                .build();
    }

    static Node node() {
        return Node.newBuilder()
                .setDescription(NodeDescription.newBuilder()
                        .setNode("a")
                        .setDataAddress("10.0.0.1")
                        .setVcpuSlots(8)
                        .setMemoryBytes(16L << 30)
                        .setAccelerator("tcg")
                        .setAcceleratorReason("no /dev/kvm")
                        .setTracker("all-pages")
                        .setTrackerReason("no library")
                        .setQemuVersion("10.0.2")
                        .setAgentVersion("0.1.0"))
                .setState(NodeState.NODE_STATE_SILENT)
                .setUsedVcpuSlots(2)
                .setUsedMemoryBytes(1L << 30)
                .setLastHeardUnixMillis(TIME)
                .build();
    }
}
