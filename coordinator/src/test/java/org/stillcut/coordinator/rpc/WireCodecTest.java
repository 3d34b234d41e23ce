package org.stillcut.coordinator.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.catalog.SampleJob;
import org.stillcut.coordinator.membership.Gang;
import org.stillcut.coordinator.membership.NodeProfile;
import org.stillcut.coordinator.output.OutputStreamName;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.v1.JobSpec;
import org.stillcut.v1.NodeDescription;
import org.stillcut.v1.OutputStream;
import org.stillcut.v1.Snapshot;
import org.stillcut.v1.StepCommand;
import org.stillcut.v1.StepFailure;
import org.stillcut.v1.StepReport;

class WireCodecTest {
    private static final AgentId A = new AgentId("a");
    private static final Incarnation INCARNATION = new Incarnation(new JobId("solver-0001"), 3);
    private static final CheckpointId CHECKPOINT = new CheckpointId(INCARNATION.job(), 7);

    private static CommandKey key(Step step) {
        return step.namesCheckpoint() ? CommandKey.of(INCARNATION, step, CHECKPOINT) : CommandKey.of(INCARNATION, step);
    }

    private static StepReport.Builder reportOf(Step step) {
        return StepReport.newBuilder()
                .setIncarnation(WireCodec.incarnation(INCARNATION))
                .setStep(WireCodec.step(step))
                .setCheckpoint(step.namesCheckpoint() ? 7 : 0);
    }

    @ParameterizedTest
    @EnumSource(Step.class)
    void everyStepHasItsWordOnTheWire(Step step) {
        assertThat(WireCodec.step(step).name()).isEqualTo("STEP_" + step.name());
        assertThat(WireCodec.step(WireCodec.step(step))).isEqualTo(step);
    }

    @Test
    void wireHasNoStepsMore() {
        assertThat(org.stillcut.v1.Step.values()).hasSize(Step.values().length + 2);
        assertThatIllegalArgumentException().isThrownBy(() -> WireCodec.step(org.stillcut.v1.Step.STEP_UNSPECIFIED));
        assertThatIllegalArgumentException().isThrownBy(() -> WireCodec.step(org.stillcut.v1.Step.UNRECOGNIZED));
    }

    @ParameterizedTest
    @EnumSource(Step.class)
    void commandCarriesItsKeyAndItsVms(Step step) {
        Command command = step == Step.DESTROY
                ? Command.destroy(INCARNATION)
                : Command.of(key(step), Ordered.set(List.of(new VmId(0), new VmId(4))));
        StepCommand wire = WireCodec.command(command, Optional.empty());
        assertThat(wire.getIncarnation().getJobId()).isEqualTo("solver-0001");
        assertThat(wire.getIncarnation().getEpoch()).isEqualTo(3);
        assertThat(WireCodec.step(wire.getStep())).isEqualTo(step);
        assertThat(wire.getCheckpoint()).isEqualTo(step.namesCheckpoint() ? 7 : 0);
        assertThat(wire.getVmsList()).isEqualTo(step == Step.DESTROY ? List.of() : List.of(0, 4));
        assertThat(wire.hasGang()).isFalse();
    }

    @Test
    void gangGoesWithTheCommand() {
        JobDescription description = SampleJob.ofVms(2).description();
        TreeMap<VmId, Gang.Member> members = new TreeMap<>();
        members.put(new VmId(0), new Gang.Member("a", "10.0.0.1"));
        members.put(new VmId(1), new Gang.Member("b", "10.0.0.2"));
        StepCommand wire = WireCodec.command(
                Command.of(key(Step.BOOT), Ordered.set(List.of(new VmId(0)))),
                Optional.of(new Gang(description, 4711, members, true)));
        assertThat(wire.getGang().getNetworkId()).isEqualTo(4711);
        assertThat(wire.getGang().getLazyRestore()).isTrue();
        assertThat(wire.getGang().getMembersList())
                .extracting(member -> member.getVm() + " " + member.getNode() + " " + member.getDataAddress())
                .containsExactly("0 a 10.0.0.1", "1 b 10.0.0.2");
        assertThat(WireCodec.description(wire.getGang().getSpec())).isEqualTo(description);
    }

    @ParameterizedTest
    @EnumSource(Step.class)
    void reportOfADoneStepIsUnderstood(Step step) {
        assertThat(WireCodec.report(A, reportOf(step).build())).isEqualTo(new Report.Done(A, key(step)));
    }

    @Test
    void snapshotsComeWithTheReport() {
        StepReport wire = reportOf(Step.PERSIST)
                .addSnapshots(Snapshot.newBuilder().setVm(2).setReference("two"))
                .addSnapshots(Snapshot.newBuilder().setVm(0).setReference("zero"))
                .build();
        TreeMap<VmId, SnapshotRef> snapshots = new TreeMap<>();
        snapshots.put(new VmId(0), new SnapshotRef("zero"));
        snapshots.put(new VmId(2), new SnapshotRef("two"));
        assertThat(WireCodec.report(A, wire)).isEqualTo(new Report.Done(A, key(Step.PERSIST), snapshots));
    }

    @Test
    void looksComeWithTheReport() {
        StepReport wire = reportOf(Step.PAUSE)
                .addLooks(org.stillcut.v1.VmTraffic.newBuilder()
                        .setVm(1)
                        .setFrozen(true)
                        .setDigest(42))
                .build();
        VmTraffic look = new VmTraffic(new VmId(1), 0, false, true, false, 0, 0, 0, 0, List.of(), List.of(), 42);
        assertThat(WireCodec.report(A, wire))
                .isEqualTo(
                        new Report.Done(A, key(Step.PAUSE), new TreeMap<>(), new TreeMap<>(Map.of(new VmId(1), look))));
        StepReport misplaced = reportOf(Step.CAPTURE).addLooks(wire.getLooks(0)).build();
        assertThatThrownBy(() -> WireCodec.report(A, misplaced)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @EnumSource(StepFailure.Kind.class)
    void everyKindOfFailureIsUnderstood(StepFailure.Kind kind) {
        StepFailure.Builder failure = StepFailure.newBuilder().setReason("why");
        if (kind == StepFailure.Kind.UNRECOGNIZED) {
            failure.setKindValue(99);
        } else {
            failure.setKind(kind);
        }
        CheckpointFailure expected = switch (kind) {
            case KIND_STORE_FULL -> new CheckpointFailure.StoreFull(A, "why");
            case KIND_SUPERSEDED -> new CheckpointFailure.Superseded(A, "why");
            case KIND_SNAPSHOT_DAMAGED -> new CheckpointFailure.SnapshotDamaged(A, "why");
            case KIND_FAILED, KIND_UNSPECIFIED, UNRECOGNIZED -> new CheckpointFailure.StepFailed(A, Step.FREEZE, "why");
        };
        assertThat(WireCodec.report(A, reportOf(Step.FREEZE).setFailure(failure).build()))
                .isEqualTo(new Report.Failed(A, key(Step.FREEZE), expected));
    }

    @Test
    void reportsThatCannotBeMeantAreRefused() {
        List<StepReport> nonsense = List.of(
                StepReport.getDefaultInstance(),
                reportOf(Step.BOOT).setCheckpoint(1).build(),
                reportOf(Step.FREEZE).setCheckpoint(0).build(),
                reportOf(Step.FREEZE).setCheckpoint(-1).build(),
                reportOf(Step.FREEZE).setStepValue(99).build(),
                reportOf(Step.FREEZE).clearIncarnation().build(),
                reportOf(Step.FREEZE)
                        .addSnapshots(Snapshot.newBuilder().setReference("x"))
                        .build(),
                reportOf(Step.PERSIST).addSnapshots(Snapshot.newBuilder()).build(),
                reportOf(Step.PERSIST)
                        .addSnapshots(Snapshot.newBuilder().setVm(-1).setReference("x"))
                        .build());
        assertThat(nonsense)
                .allSatisfy(wire -> assertThatIllegalArgumentException()
                        .as(wire.toString())
                        .isThrownBy(() -> WireCodec.report(A, wire)));
    }

    @Test
    void descriptionComesBackAsItWas() {
        JobDescription description = SampleJob.ofVms(3)
                .every(Duration.ofMillis(90_001))
                .onNodes("b", "a")
                .description();
        assertThat(WireCodec.description(WireCodec.spec(description))).isEqualTo(description);
        assertThatIllegalArgumentException().isThrownBy(() -> WireCodec.description(JobSpec.getDefaultInstance()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> WireCodec.description(
                        WireCodec.spec(description).toBuilder().setVmCount(-1).build()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> WireCodec.description(WireCodec.spec(description).toBuilder()
                        .setCheckpointIntervalMillis(-1)
                        .build()));
    }

    @Test
    void profileComesBackAsItWas() {
        NodeProfile profile = new NodeProfile(
                A,
                "10.0.0.1",
                4,
                1 << 30,
                "tcg",
                "no /dev/kvm",
                "all-pages",
                "no library",
                "10.0",
                "0.1",
                List.of("base"),
                List.of("pc-q35-7.2/max/tcg-7.2"),
                "4711");
        assertThat(WireCodec.profile(WireCodec.node(profile))).isEqualTo(profile);
        assertThatIllegalArgumentException().isThrownBy(() -> WireCodec.profile(NodeDescription.getDefaultInstance()));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> WireCodec.profile(
                        WireCodec.node(profile).toBuilder().setMemoryBytes(-1).build()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "-a", ".a", "a b", "a/b", "a\n", "a@b"})
    void namesThatAreNoNodesAreRefused(String name) {
        assertThatIllegalArgumentException().isThrownBy(() -> WireCodec.agent(name));
    }

    @ParameterizedTest
    @EnumSource(OutputStreamName.class)
    void streamsComeBackAsTheyWere(OutputStreamName stream) {
        assertThat(WireCodec.stream(WireCodec.stream(stream))).isEqualTo(stream);
    }

    @Test
    void streamsThatAreNoneAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> WireCodec.stream(OutputStream.OUTPUT_STREAM_UNSPECIFIED));
        assertThatIllegalArgumentException().isThrownBy(() -> WireCodec.stream(OutputStream.UNRECOGNIZED));
    }

    @Test
    void heldIncarnationsAreASet() {
        assertThat(WireCodec.held(List.of(WireCodec.incarnation(INCARNATION), WireCodec.incarnation(INCARNATION))))
                .isEqualTo(new TreeSet<>(List.of(INCARNATION)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> WireCodec.held(List.of(org.stillcut.v1.Incarnation.getDefaultInstance())));
    }
}
