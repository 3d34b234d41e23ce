package org.stillcut.agent.rpc;

import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stillcut.agent.gang.GangPlan;
import org.stillcut.agent.guest.CheckpointOutcome;
import org.stillcut.agent.qemu.MachineModel;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.v1.CheckpointResult;
import org.stillcut.v1.Gang;
import org.stillcut.v1.JobSpec;
import org.stillcut.v1.OutputStream;
import org.stillcut.v1.Snapshot;
import org.stillcut.v1.StepCommand;
import org.stillcut.v1.StepFailure;
import org.stillcut.v1.StepReport;

/** Between the wire's types and the agent's own. What cannot be meant is an {@link IllegalArgumentException}. */
final class WireCodec {
    private static final String STEP_PREFIX = "STEP_";

    private WireCodec() {}

    static Command command(StepCommand wire) {
        Incarnation incarnation = incarnation(wire.getIncarnation());
        Optional<CheckpointId> checkpoint = wire.getCheckpoint() == 0
                ? Optional.empty()
                : Optional.of(new CheckpointId(incarnation.job(), wire.getCheckpoint()));
        SortedSet<VmId> vms = new TreeSet<>();
        wire.getVmsList().forEach(vm -> vms.add(new VmId(vm)));
        return Command.of(new CommandKey(incarnation, step(wire.getStep()), checkpoint), vms);
    }

    static Optional<GangPlan> plan(StepCommand wire) {
        if (!wire.hasGang()) {
            return Optional.empty();
        }
        Gang gang = wire.getGang();
        JobSpec spec = gang.getSpec();
        SortedMap<VmId, GangPlan.Member> members = new TreeMap<>();
        gang.getMembersList()
                .forEach(member -> members.put(
                        new VmId(member.getVm()), new GangPlan.Member(member.getNode(), member.getDataAddress())));
        return Optional.of(new GangPlan(
                incarnation(wire.getIncarnation()),
                new GangPlan.Program(
                        spec.getMpirunArgumentsList(),
                        spec.getEnvironmentList(),
                        spec.getWorkingDirectory(),
                        spec.getSlotsPerVm(),
                        !spec.getFreezeOnly(),
                        spec.getStandardInput()),
                new GangPlan.VmShape(
                        spec.getVcpusPerVm(),
                        spec.getMemoryBytesPerVm(),
                        spec.getDiskBytesPerVm(),
                        spec.getImage(),
                        MachineModel.parse(spec.getMachine())),
                gang.getNetworkId(),
                members,
                gang.getLazyRestore()));
    }

    static StepReport report(Report report) {
        CommandKey key = report.key();
        StepReport.Builder wire = StepReport.newBuilder()
                .setIncarnation(incarnation(key.incarnation()))
                .setStep(org.stillcut.v1.Step.valueOf(STEP_PREFIX + key.step().name()))
                .setCheckpoint(key.checkpoint().map(CheckpointId::sequence).orElse(0L));
        switch (report) {
            case Report.Done done -> {
                done.snapshots()
                        .forEach((vm, snapshot) -> wire.addSnapshots(
                                Snapshot.newBuilder().setVm(vm.index()).setReference(snapshot.value())));
                wire.addAllLooks(TrafficCodec.looks(done.looks().values()));
            }
            case Report.Failed failed -> wire.setFailure(failure(failed.failure()));
        }
        return wire.build();
    }

    private static StepFailure failure(CheckpointFailure failure) {
        StepFailure.Builder wire = StepFailure.newBuilder();
        return switch (failure) {
            case CheckpointFailure.StoreFull full ->
                wire.setKind(StepFailure.Kind.KIND_STORE_FULL)
                        .setReason(full.reason())
                        .build();
            case CheckpointFailure.SnapshotDamaged damaged ->
                wire.setKind(StepFailure.Kind.KIND_SNAPSHOT_DAMAGED)
                        .setReason(damaged.reason())
                        .build();
            case CheckpointFailure.Superseded superseded ->
                wire.setKind(StepFailure.Kind.KIND_SUPERSEDED)
                        .setReason(superseded.reason())
                        .build();
            case CheckpointFailure.StepFailed failed ->
                wire.setKind(StepFailure.Kind.KIND_FAILED)
                        .setReason(failed.reason())
                        .build();
            case CheckpointFailure.AgentLost _,
                    CheckpointFailure.VmLost _,
                    CheckpointFailure.DeadlinePassed _,
                    CheckpointFailure.CoordinatorRestarted _,
                    CheckpointFailure.TrafficRefused _,
                    CheckpointFailure.JobEnded _,
                    CheckpointFailure.CommitFailed _ ->
                wire.setKind(StepFailure.Kind.KIND_FAILED)
                        .setReason(failure.describe())
                        .build();
        };
    }

    static Incarnation incarnation(org.stillcut.v1.Incarnation wire) {
        return new Incarnation(new JobId(wire.getJobId()), wire.getEpoch());
    }

    static org.stillcut.v1.Incarnation incarnation(Incarnation incarnation) {
        return org.stillcut.v1.Incarnation.newBuilder()
                .setJobId(incarnation.job().value())
                .setEpoch(incarnation.epoch())
                .build();
    }

    static CheckpointOutcome outcome(CheckpointResult.Outcome wire) {
        return switch (wire) {
            case OUTCOME_COMMITTED -> CheckpointOutcome.COMMITTED;
            case OUTCOME_UNAVAILABLE -> CheckpointOutcome.UNAVAILABLE;
            case OUTCOME_FAILED, OUTCOME_UNSPECIFIED, UNRECOGNIZED -> CheckpointOutcome.FAILED;
        };
    }

    /** The guest's numbers of the streams are the wire's. */
    static OutputStream stream(int stream) {
        return OutputStream.forNumber(stream);
    }

    private static Step step(org.stillcut.v1.Step wire) {
        if (wire == org.stillcut.v1.Step.UNRECOGNIZED || wire == org.stillcut.v1.Step.STEP_UNSPECIFIED) {
            throw new IllegalArgumentException("not a step: " + wire);
        }
        return Step.valueOf(wire.name().substring(STEP_PREFIX.length()));
    }
}
