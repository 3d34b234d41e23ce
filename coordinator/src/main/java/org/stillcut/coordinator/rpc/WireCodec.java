package org.stillcut.coordinator.rpc;

import java.time.Duration;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stillcut.coordinator.catalog.CheckpointPolicy;
import org.stillcut.coordinator.catalog.JobDescription;
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
import org.stillcut.protocol.Report;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.v1.GangMember;
import org.stillcut.v1.JobSpec;
import org.stillcut.v1.KeepRules;
import org.stillcut.v1.NodeDescription;
import org.stillcut.v1.OutputStream;
import org.stillcut.v1.StepCommand;
import org.stillcut.v1.StepFailure;
import org.stillcut.v1.StepReport;

/**
 * Between the wire's types and the coordinator's own. Whatever a peer sent that cannot be meant is an {@link
 * IllegalArgumentException}, which the services turn into a refusal.
 */
final class WireCodec {
    private static final String STEP_PREFIX = "STEP_";

    private WireCodec() {}

    static JobDescription description(JobSpec spec) {
        return new JobDescription(
                spec.getName(),
                spec.getMpirunArgumentsList(),
                spec.getEnvironmentList(),
                spec.getWorkingDirectory(),
                spec.getVmCount(),
                spec.getVcpusPerVm(),
                spec.getMemoryBytesPerVm(),
                spec.getDiskBytesPerVm(),
                spec.getImage(),
                Duration.ofMillis(spec.getCheckpointIntervalMillis()),
                spec.getMaxRestarts(),
                spec.getNodesList(),
                spec.getSlotsPerVm(),
                !spec.getFreezeOnly(),
                spec.getMostVmsPerNodeList(),
                spec.getStandardInput(),
                spec.getMachine(),
                JobDescription.NO_OWNER,
                policy(spec));
    }

    private static CheckpointPolicy policy(JobSpec spec) {
        KeepRules keep = spec.getKeep();
        return new CheckpointPolicy(
                spec.getCheckpointIntervalAuto(),
                Duration.ofMillis(spec.getExpectedMtbfMillis()),
                keep.getLast(),
                keep.getHourly(),
                keep.getDaily(),
                keep.getWeekly());
    }

    static JobSpec spec(JobDescription description) {
        JobSpec.Builder spec = JobSpec.newBuilder()
                .setName(description.name())
                .addAllMpirunArguments(description.mpirunArguments())
                .addAllEnvironment(description.environment())
                .setWorkingDirectory(description.workingDirectory())
                .setVmCount(description.vmCount())
                .setVcpusPerVm(description.vcpusPerVm())
                .setMemoryBytesPerVm(description.memoryBytesPerVm())
                .setDiskBytesPerVm(description.diskBytesPerVm())
                .setImage(description.image())
                .setCheckpointIntervalMillis(description.checkpointInterval().toMillis())
                .setMaxRestarts(description.maxRestarts())
                .addAllNodes(description.nodes())
                .setSlotsPerVm(description.slotsPerVm())
                .setFreezeOnly(!description.gated())
                .addAllMostVmsPerNode(description.mostVmsPerNode())
                .setStandardInput(description.standardInput())
                .setMachine(description.machine())
                .setCheckpointIntervalAuto(description.policy().automatic())
                .setExpectedMtbfMillis(description.policy().expectedMtbf().toMillis());
        if (description.policy().forgets()) {
            spec.setKeep(KeepRules.newBuilder()
                    .setLast(description.policy().keepLast())
                    .setHourly(description.policy().keepHourly())
                    .setDaily(description.policy().keepDaily())
                    .setWeekly(description.policy().keepWeekly()));
        }
        return spec.build();
    }

    static NodeProfile profile(NodeDescription node) {
        return new NodeProfile(
                agent(node.getNode()),
                node.getDataAddress(),
                node.getVcpuSlots(),
                node.getMemoryBytes(),
                node.getAccelerator(),
                node.getAcceleratorReason(),
                node.getTracker(),
                node.getTrackerReason(),
                node.getQemuVersion(),
                node.getAgentVersion(),
                node.getImagesList(),
                node.getMachinesList(),
                node.getRepository());
    }

    static NodeDescription node(NodeProfile profile) {
        return NodeDescription.newBuilder()
                .setNode(profile.agent().value())
                .setDataAddress(profile.dataAddress())
                .setVcpuSlots(profile.vcpuSlots())
                .setMemoryBytes(profile.memoryBytes())
                .setAccelerator(profile.accelerator())
                .setAcceleratorReason(profile.acceleratorReason())
                .setTracker(profile.tracker())
                .setTrackerReason(profile.trackerReason())
                .setQemuVersion(profile.qemuVersion())
                .setAgentVersion(profile.agentVersion())
                .addAllImages(profile.images())
                .addAllMachines(profile.machines())
                .setRepository(profile.repository())
                .build();
    }

    static AgentId agent(String name) {
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9.-]{0,62}")) {
            throw new IllegalArgumentException("not a node name: " + name);
        }
        return new AgentId(name);
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

    static StepCommand command(Command command, Optional<Gang> gang) {
        StepCommand.Builder wire = StepCommand.newBuilder()
                .setIncarnation(incarnation(command.incarnation()))
                .setStep(step(command.step()))
                .setCheckpoint(command.checkpoint().map(CheckpointId::sequence).orElse(0L));
        command.vms().forEach(vm -> wire.addVms(vm.index()));
        gang.ifPresent(members -> wire.setGang(gang(members)));
        return wire.build();
    }

    private static org.stillcut.v1.Gang gang(Gang gang) {
        org.stillcut.v1.Gang.Builder wire = org.stillcut.v1.Gang.newBuilder()
                .setSpec(spec(gang.description()))
                .setNetworkId(gang.networkId())
                .setLazyRestore(gang.lazyRestore());
        gang.members()
                .forEach((vm, member) -> wire.addMembers(GangMember.newBuilder()
                        .setVm(vm.index())
                        .setNode(member.node())
                        .setDataAddress(member.dataAddress())));
        return wire.build();
    }

    static Report report(AgentId agent, StepReport wire) {
        Incarnation incarnation = incarnation(wire.getIncarnation());
        Step step = step(wire.getStep());
        Optional<CheckpointId> checkpoint = wire.getCheckpoint() == 0
                ? Optional.empty()
                : Optional.of(new CheckpointId(incarnation.job(), wire.getCheckpoint()));
        CommandKey key = new CommandKey(incarnation, step, checkpoint);
        if (wire.hasFailure()) {
            return new Report.Failed(agent, key, failure(agent, step, wire.getFailure()));
        }
        SortedMap<VmId, SnapshotRef> snapshots = new TreeMap<>();
        wire.getSnapshotsList()
                .forEach(snapshot ->
                        snapshots.put(new VmId(snapshot.getVm()), new SnapshotRef(snapshot.getReference())));
        SortedMap<VmId, VmTraffic> looks = new TreeMap<>();
        wire.getLooksList().stream().map(TrafficCodec::vm).forEach(look -> looks.put(look.vm(), look));
        return new Report.Done(agent, key, snapshots, looks);
    }

    private static CheckpointFailure failure(AgentId agent, Step step, StepFailure wire) {
        return switch (wire.getKind()) {
            case KIND_STORE_FULL -> new CheckpointFailure.StoreFull(agent, wire.getReason());
            case KIND_SNAPSHOT_DAMAGED -> new CheckpointFailure.SnapshotDamaged(agent, wire.getReason());
            case KIND_SUPERSEDED -> new CheckpointFailure.Superseded(agent, wire.getReason());
            case KIND_FAILED, KIND_UNSPECIFIED, UNRECOGNIZED ->
                new CheckpointFailure.StepFailed(agent, step, wire.getReason());
        };
    }

    static SortedSet<Incarnation> held(Iterable<org.stillcut.v1.Incarnation> wire) {
        SortedSet<Incarnation> held = new TreeSet<>();
        wire.forEach(incarnation -> held.add(incarnation(incarnation)));
        return held;
    }

    static OutputStreamName stream(OutputStream wire) {
        return switch (wire) {
            case OUTPUT_STREAM_STDOUT -> OutputStreamName.STDOUT;
            case OUTPUT_STREAM_STDERR -> OutputStreamName.STDERR;
            case OUTPUT_STREAM_UNSPECIFIED, UNRECOGNIZED ->
                throw new IllegalArgumentException("not an output stream: " + wire);
        };
    }

    static OutputStream stream(OutputStreamName stream) {
        return switch (stream) {
            case STDOUT -> OutputStream.OUTPUT_STREAM_STDOUT;
            case STDERR -> OutputStream.OUTPUT_STREAM_STDERR;
        };
    }

    /** Both enums have the same words; the wire's carry its prefix. */
    static org.stillcut.v1.Step step(Step step) {
        return org.stillcut.v1.Step.valueOf(STEP_PREFIX + step.name());
    }

    static Step step(org.stillcut.v1.Step wire) {
        if (wire == org.stillcut.v1.Step.UNRECOGNIZED || wire == org.stillcut.v1.Step.STEP_UNSPECIFIED) {
            throw new IllegalArgumentException("not a step: " + wire);
        }
        return Step.valueOf(wire.name().substring(STEP_PREFIX.length()));
    }
}
