package org.stillcut.agent.gang;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.stillcut.agent.capture.BootFiles;
import org.stillcut.agent.network.NetworkPlan;
import org.stillcut.agent.network.Vxlan;
import org.stillcut.agent.qemu.MachineModel;
import org.stillcut.agent.qemu.VmBoot;
import org.stillcut.agent.qemu.VmDisk;
import org.stillcut.agent.qemu.VmFiles;
import org.stillcut.agent.qemu.VmMachine;
import org.stillcut.agent.qemu.VmNic;
import org.stillcut.agent.qemu.VmSpec;
import org.stillcut.protocol.VmId;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.StoreException;

/** What the VMs of a gang look like: machine, addresses, network. The same for every incarnation of a job, wherever it is. */
final class VmShaping {
    /** An Ethernet of 1500 bytes between the nodes, less what the tunnel adds. */
    private static final int MTU_BYTES = 1500 - NetworkPlan.VXLAN_OVERHEAD_BYTES;

    private static final String IMAGE_DIGEST = "image.digest";

    private final GangPlan plan;
    private final SortedSet<VmId> here;
    private final HostEnvironment host;
    private final GangFiles files;

    VmShaping(GangPlan plan, SortedSet<VmId> here, HostEnvironment host, GangFiles files) {
        this.plan = plan;
        this.here = here;
        this.host = host;
        this.files = files;
    }

    /** @param boot the same files for all VMs of the gang */
    VmSpec spec(VmId id, VmDisk disk, BootFiles boot) {
        return new VmSpec(
                id.toString(),
                machine(),
                Optional.of(new VmBoot(
                        boot.kernel().file(), boot.initrd().file(), boot.root().file(), kernelCommandLine(id))),
                List.of(disk),
                Optional.of(new VmNic(namespace(), tap(id), mac(id), MTU_BYTES)),
                new VmFiles(files.ram(id), files.vmDirectory(id)),
                host.tracking().environment(files.vmDirectory(id)));
    }

    private VmMachine machine() {
        GangPlan.VmShape shape = plan.shape();
        return shape.machine().of(host.accelerator(), shape.vcpus(), shape.memoryBytes());
    }

    /** The timer check compares real with emulated time, and on a busy machine without KVM it panics for no reason. */
    private String kernelCommandLine(VmId id) {
        return "no_timer_check console=ttyS0 quiet panic=-1 rdinit=/init net.ifnames=0 stillcut.name=vm" + id.index()
                + " stillcut.ip=10.77.0." + (id.index() + 1) + "/24 stillcut.vms="
                + plan.members().size();
    }

    /** This node's part of the job's network. */
    NetworkPlan network() throws UnknownHostException {
        Set<String> peers = new LinkedHashSet<>();
        plan.members().values().stream()
                .filter(member -> !member.node().equals(host.node()))
                .forEach(member -> peers.add(member.dataAddress()));
        List<InetAddress> addresses = new ArrayList<>();
        for (String peer : peers) {
            addresses.add(InetAddress.getByName(peer));
        }
        Optional<Vxlan> tunnel = addresses.isEmpty()
                ? Optional.empty()
                : Optional.of(new Vxlan(plan.networkId(), host.dataAddress(), addresses));
        return new NetworkPlan(
                namespace(), MTU_BYTES, here.stream().map(VmShaping::tap).toList(), tunnel);
    }

    private String namespace() {
        return host.namespacePrefix() + Integer.toHexString(plan.networkId());
    }

    private static String tap(VmId id) {
        return "tap" + id.index();
    }

    private static String mac(VmId id) {
        return String.format("52:54:00:5c:%02x:%02x", id.index() >> 8, id.index() & 0xff);
    }

    /** What a snapshot of this gang says of the machine it needs, and of what it booted. */
    SortedMap<String, String> description(BootFiles boot) {
        SortedMap<String, String> description = new TreeMap<>(host.machine());
        VmMachine machine = machine();
        description.put("machine.version", machine.version());
        description.put("machine.cpu", plan.shape().machine().cpu());
        description.put("machine.vcpus", Integer.toString(machine.vcpus()));
        description.put("machine.memory.bytes", Long.toString(machine.memoryBytes()));
        description.put("image", plan.shape().image());
        description.put(IMAGE_DIGEST, boot.digest());
        return description;
    }

    /** What the VM of a snapshot booted: this node's files if they are the same, else those kept with the snapshot. */
    BootFiles bootFiles(SnapshotManifest snapshot) throws StepException, StoreException, IOException {
        String digest = snapshot.attributes().getOrDefault(IMAGE_DIGEST, "");
        Optional<BootFiles> here = host.images().find(plan.shape().image(), digest);
        if (here.isPresent()) {
            return here.get();
        }
        if (!BootFiles.areIn(snapshot)) {
            throw new StepException("the snapshot of vm" + snapshot.identity().vmIndex() + " needs image.digest "
                    + digest + ", which neither this node nor the snapshot has");
        }
        return host.vault().fetchBootFiles(snapshot, digest, GangFiles.bootFiles(host.stateDirectory()));
    }

    /** Refuses, before anything is touched, a machine that this node does not have. */
    void requireMachine() throws StepException {
        MachineModel machine = plan.shape().machine();
        // Nobody chose the unnamed machine, so nobody can have looked who has it.
        if (!host.machines().isEmpty()
                && !machine.equals(MachineModel.UNNAMED)
                && !host.machines().contains(machine)) {
            throw new StepException("the job needs machine " + machine + ", this node has "
                    + host.machines().stream().map(MachineModel::toString).collect(Collectors.joining(", ")));
        }
    }

    /** Refuses, before anything is touched, what would fail or go wrong later. */
    void requireFit(SnapshotManifest snapshot, BootFiles boot) throws StepException {
        for (Map.Entry<String, String> mine : description(boot).entrySet()) {
            String theirs = snapshot.attributes().get(mine.getKey());
            if (!mine.getValue().equals(theirs)) {
                throw new StepException(
                        "the snapshot of vm" + snapshot.identity().vmIndex() + " needs " + mine.getKey() + " " + theirs
                                + ", this node has " + mine.getValue());
            }
        }
    }
}
