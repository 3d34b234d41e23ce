package org.stillcut.agent.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stillcut.agent.gang.GangPlan;
import org.stillcut.agent.qemu.MachineModel;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.protocol.Watch;
import org.stillcut.v1.Gang;
import org.stillcut.v1.GangMember;
import org.stillcut.v1.JobSpec;
import org.stillcut.v1.OutputStream;
import org.stillcut.v1.StepCommand;
import org.stillcut.v1.StepFailure;
import org.stillcut.v1.StepReport;

class WireCodecTest {

    private static final AgentId AGENT = new AgentId("n1");
    private static final Incarnation INCARNATION = new Incarnation(new JobId("j"), 3);
    private static final org.stillcut.v1.Incarnation WIRE =
            org.stillcut.v1.Incarnation.newBuilder().setJobId("j").setEpoch(3).build();

    private static CommandKey key(Step step) {
        return new CommandKey(
                INCARNATION,
                step,
                step.namesCheckpoint() ? Optional.of(new CheckpointId(INCARNATION.job(), 9)) : Optional.empty());
    }

    private static org.stillcut.v1.Step wire(Step step) {
        return org.stillcut.v1.Step.valueOf("STEP_" + step);
    }

    @ParameterizedTest
    @EnumSource
    void commandOfEveryStepIsRead(Step step) {
        StepCommand.Builder wire = StepCommand.newBuilder().setIncarnation(WIRE).setStep(wire(step));
        if (step.namesCheckpoint()) {
            wire.setCheckpoint(9);
        }
        TreeSet<VmId> vms = new TreeSet<>();
        if (step != Step.DESTROY) {
            wire.addVms(2).addVms(0);
            vms.addAll(List.of(new VmId(0), new VmId(2)));
        }
        assertThat(WireCodec.command(wire.build())).isEqualTo(Command.of(key(step), vms));
        assertThat(WireCodec.plan(wire.build())).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void reportOfEveryStepIsWritten(Step step) {
        assertThat(WireCodec.report(new Report.Done(AGENT, key(step))))
                .isEqualTo(StepReport.newBuilder()
                        .setIncarnation(WIRE)
                        .setStep(wire(step))
                        .setCheckpoint(step.namesCheckpoint() ? 9 : 0)
                        .build());
    }

    @Test
    void everyStepOfTheWireIsKnown() {
        List<String> wire = new ArrayList<>();
        for (org.stillcut.v1.Step step : org.stillcut.v1.Step.values()) {
            wire.add(step.name());
        }
        List<String> known = new ArrayList<>(List.of("STEP_UNSPECIFIED", "UNRECOGNIZED"));
        for (Step step : Step.values()) {
            known.add("STEP_" + step);
        }
        assertThat(wire).containsExactlyInAnyOrderElementsOf(known);
    }

    @Test
    void looksAreWrittenUnlessTheyAreTooMuchForAMessage() {
        VmTraffic small = look(List.of());
        VmTraffic large = look(List.of("x".repeat(4 << 20)));
        assertThat(WireCodec.report(paused(small)).getLooks(0).getDigest()).isEqualTo(42);
        assertThat(WireCodec.report(paused(large)).getLooksList()).isEmpty();
    }

    private static Report.Done paused(VmTraffic look) {
        return new Report.Done(AGENT, key(Step.PAUSE), new TreeMap<>(), new TreeMap<>(Map.of(look.vm(), look)));
    }

    private static VmTraffic look(List<String> notHeld) {
        return new VmTraffic(new VmId(1), 1, true, true, false, 1, 0, 0, 7, notHeld, List.of(), 42);
    }

    @Test
    void snapshotsAreWrittenInTheOrderOfTheirVms() {
        StepReport report = WireCodec.report(new Report.Done(
                AGENT,
                key(Step.PERSIST),
                new TreeMap<>(Map.of(new VmId(4), new SnapshotRef("b"), new VmId(1), new SnapshotRef("a")))));
        assertThat(report.getSnapshotsList())
                .extracting(snapshot -> snapshot.getVm() + snapshot.getReference())
                .containsExactly("1a", "4b");
        assertThat(report.hasFailure()).isFalse();
    }

    @Test
    void everyFailureHasItsKindAndReason() {
        record Case(CheckpointFailure failure, StepFailure.Kind kind, String reason) {}
        List<Case> cases = List.of(
                new Case(new CheckpointFailure.StoreFull(AGENT, "r"), StepFailure.Kind.KIND_STORE_FULL, "r"),
                new Case(
                        new CheckpointFailure.SnapshotDamaged(AGENT, "r"), StepFailure.Kind.KIND_SNAPSHOT_DAMAGED, "r"),
                new Case(new CheckpointFailure.Superseded(AGENT, "r"), StepFailure.Kind.KIND_SUPERSEDED, "r"),
                new Case(new CheckpointFailure.StepFailed(AGENT, Step.FREEZE, "r"), StepFailure.Kind.KIND_FAILED, "r"),
                new Case(new CheckpointFailure.AgentLost(AGENT), StepFailure.Kind.KIND_FAILED, "node n1 was lost"),
                new Case(
                        new CheckpointFailure.VmLost(AGENT, new VmId(1), "r"),
                        StepFailure.Kind.KIND_FAILED,
                        "vm1 on node n1 was lost: r"),
                new Case(
                        new CheckpointFailure.DeadlinePassed(Step.PAUSE, new TreeSet<>(List.of(AGENT))),
                        StepFailure.Kind.KIND_FAILED,
                        "no answer to PAUSE in time from n1"),
                new Case(
                        new CheckpointFailure.CoordinatorRestarted(),
                        StepFailure.Kind.KIND_FAILED,
                        "the coordinator was restarted"),
                new Case(
                        new CheckpointFailure.TrafficRefused(Watch.VERIFY, "r"),
                        StepFailure.Kind.KIND_FAILED,
                        "the traffic is not at rest: r"),
                new Case(new CheckpointFailure.JobEnded(), StepFailure.Kind.KIND_FAILED, "the job ended first"),
                new Case(
                        new CheckpointFailure.CommitFailed("r"),
                        StepFailure.Kind.KIND_FAILED,
                        "the commit record could not be written: r"));
        assertThat(cases.stream().<Class<?>>map(each -> each.failure().getClass()))
                .containsExactlyInAnyOrder(CheckpointFailure.class.getPermittedSubclasses());
        for (Case each : cases) {
            StepFailure wire = WireCodec.report(new Report.Failed(AGENT, key(Step.FREEZE), each.failure()))
                    .getFailure();
            assertThat(wire.getKind()).isEqualTo(each.kind());
            assertThat(wire.getReason()).isEqualTo(each.reason());
        }
    }

    @Test
    void planIsReadWhole() {
        StepCommand wire = StepCommand.newBuilder()
                .setIncarnation(WIRE)
                .setStep(org.stillcut.v1.Step.STEP_BOOT)
                .addVms(0)
                .setGang(Gang.newBuilder()
                        .setNetworkId(77)
                        .setLazyRestore(true)
                        .addMembers(
                                GangMember.newBuilder().setVm(1).setNode("n2").setDataAddress("192.0.2.2"))
                        .addMembers(
                                GangMember.newBuilder().setVm(0).setNode("n1").setDataAddress("192.0.2.1"))
                        .setSpec(JobSpec.newBuilder()
                                .addMpirunArguments("./solver")
                                .addEnvironment("A=b")
                                .setWorkingDirectory("/w")
                                .setSlotsPerVm(2)
                                .setVcpusPerVm(3)
                                .setMemoryBytesPerVm(4)
                                .setDiskBytesPerVm(5)
                                .setImage("java")
                                .setMachine("pc-q35-7.2/max/tcg-7.2")))
                .build();
        assertThat(WireCodec.plan(wire))
                .contains(new GangPlan(
                        INCARNATION,
                        new GangPlan.Program(List.of("./solver"), List.of("A=b"), "/w", 2, true),
                        new GangPlan.VmShape(3, 4, 5, "java", new MachineModel("pc-q35-7.2", "max/tcg-7.2")),
                        77,
                        new TreeMap<>(Map.of(
                                new VmId(0), new GangPlan.Member("n1", "192.0.2.1"),
                                new VmId(1), new GangPlan.Member("n2", "192.0.2.2"))),
                        true));
    }

    @Test
    void whatCannotBeMeantIsRefused() {
        StepCommand good = StepCommand.newBuilder()
                .setIncarnation(WIRE)
                .setStep(org.stillcut.v1.Step.STEP_PREPARE)
                .setCheckpoint(1)
                .addVms(0)
                .build();
        assertThat(WireCodec.command(good).step()).isEqualTo(Step.PREPARE);
        for (StepCommand bad : List.of(
                StepCommand.getDefaultInstance(),
                good.toBuilder().clearStep().build(),
                good.toBuilder().setStepValue(99).build(),
                good.toBuilder().setCheckpoint(0).build(),
                good.toBuilder().setCheckpoint(-1).build(),
                good.toBuilder().clearVms().build(),
                good.toBuilder().addVms(-1).build(),
                good.toBuilder().setIncarnation(WIRE.toBuilder().setEpoch(0)).build(),
                good.toBuilder().setIncarnation(WIRE.toBuilder().setJobId("")).build())) {
            assertThatThrownBy(() -> WireCodec.command(bad))
                    .as(bad.toString())
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void streamsHaveTheGuestsNumbers() {
        assertThat(WireCodec.stream(1)).isEqualTo(OutputStream.OUTPUT_STREAM_STDOUT);
        assertThat(WireCodec.stream(2)).isEqualTo(OutputStream.OUTPUT_STREAM_STDERR);
        assertThat(WireCodec.incarnation(WireCodec.incarnation(INCARNATION))).isEqualTo(INCARNATION);
    }
}
