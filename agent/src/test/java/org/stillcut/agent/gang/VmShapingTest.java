package org.stillcut.agent.gang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.agent.capture.BootFiles;
import org.stillcut.agent.capture.DirtyTracking;
import org.stillcut.agent.capture.StandInVault;
import org.stillcut.agent.network.NetworkPlan;
import org.stillcut.agent.network.Vxlan;
import org.stillcut.agent.qemu.Accelerator;
import org.stillcut.agent.qemu.MachineModel;
import org.stillcut.agent.qemu.VmBoot;
import org.stillcut.agent.qemu.VmDisk;
import org.stillcut.agent.qemu.VmFiles;
import org.stillcut.agent.qemu.VmMachine;
import org.stillcut.agent.qemu.VmNic;
import org.stillcut.agent.qemu.VmSpec;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.VmId;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;

class VmShapingTest {

    private static final MachineModel HERE = new MachineModel("pc-q35-7.2", "max/tcg-7.2");
    private static final VmId VM1 = new VmId(1);

    @TempDir
    Path images;

    private final Path state = Path.of("/state");
    private final Path ram = Path.of("/ram");
    private VmShaping shaping;
    private BootFiles boot;
    private StandInVault vault;

    @BeforeEach
    void gangOfThreeOnTwoNodes(@TempDir Path repository) throws Exception {
        vault = StandInVault.in(repository);
        shaping = shaping(plan("base", Map.of(0, "n1", 1, "n1", 2, "n2", 3, "n2")));
        boot = StandInImages.in(images).files("base");
    }

    @org.junit.jupiter.api.AfterEach
    void closeVault() throws Exception {
        vault.close();
    }

    private GangPlan plan(String image, Map<Integer, String> nodes) {
        return plan(image, nodes, HERE);
    }

    private GangPlan plan(String image, Map<Integer, String> nodes, MachineModel machine) {
        SortedMap<VmId, GangPlan.Member> members = new TreeMap<>();
        nodes.forEach(
                (vm, node) -> members.put(new VmId(vm), new GangPlan.Member(node, "192.0.2." + node.substring(1))));
        return new GangPlan(
                new Incarnation(new JobId("j"), 2),
                new GangPlan.Program(List.of("-np", "3", "./solver"), List.of(), "/home/u", 1, true),
                new GangPlan.VmShape(2, 256L << 20, 1L << 30, image, machine),
                0xabc,
                members,
                false);
    }

    private VmShaping shaping(GangPlan plan) throws Exception {
        HostEnvironment host = new HostEnvironment(
                "n1",
                InetAddress.getByName("192.0.2.1"),
                state,
                ram,
                StandInImages.in(images),
                "sc-012345-",
                Accelerator.TCG,
                new TreeMap<>(Map.of("machine.accelerator", "tcg")),
                List.of(HERE),
                new DirtyTracking(Path.of("/nowhere")),
                vault.vault(),
                (job, archive) -> {},
                (command, deadline) -> "");
        return new VmShaping(
                plan, new TreeSet<>(List.of(new VmId(0), VM1)), host, new GangFiles(state, ram, plan.incarnation()));
    }

    @Test
    void specificationIsWhatEveryIncarnationOfTheJobHasAgain() throws Exception {
        VmDisk disk = new VmDisk("disk0", Path.of("/d.raw"), "disk0.0", Path.of("/d.1.qcow2"), "disk0.1");
        assertThat(shaping.spec(VM1, disk, boot))
                .isEqualTo(new VmSpec(
                        "vm1",
                        new VmMachine("qemu-system-x86_64", "pc-q35-7.2", "max", Accelerator.TCG, 2, 256L << 20),
                        Optional.of(new VmBoot(
                                images.resolve("vmlinuz"),
                                images.resolve("initrd"),
                                images.resolve("base.sqfs"),
                                "no_timer_check console=ttyS0 quiet panic=-1 rdinit=/init net.ifnames=0"
                                        + " stillcut.name=vm1 stillcut.ip=10.77.0.2/24 stillcut.vms=4")),
                        List.of(disk),
                        Optional.of(new VmNic("sc-012345-abc", "tap1", "52:54:00:5c:00:01", 1450)),
                        new VmFiles(Path.of("/ram/gangs/j.2/vm1.ram"), Path.of("/state/gangs/j.2/vm1")),
                        Map.of()));
    }

    @Test
    void machineThatThisNodeDoesNotHaveIsRefusedInOneLine() throws Exception {
        shaping.requireMachine();
        MachineModel newer = new MachineModel("pc-q35-7.2", "max/tcg-10.0");
        VmShaping other = shaping(plan("base", Map.of(0, "n1", 1, "n1"), newer));
        assertThatThrownBy(other::requireMachine)
                .isInstanceOf(StepException.class)
                .hasMessage("the job needs machine pc-q35-7.2/max/tcg-10.0, this node has pc-q35-7.2/max/tcg-7.2");
    }

    /** As it was before there was a choice. */
    @Test
    void jobWithoutAMachineRunsAnywhere() throws Exception {
        VmShaping unnamed = shaping(plan("base", Map.of(0, "n1", 1, "n1"), MachineModel.UNNAMED));
        unnamed.requireMachine();
        assertThat(unnamed.description(boot)).containsEntry("machine.cpu", "max");
    }

    @Test
    void networkJoinsTheOtherNodesOnce() throws Exception {
        assertThat(shaping.network())
                .isEqualTo(new NetworkPlan(
                        "sc-012345-abc",
                        1450,
                        List.of("tap0", "tap1"),
                        Optional.of(new Vxlan(
                                0xabc,
                                InetAddress.getByName("192.0.2.1"),
                                List.of(InetAddress.getByName("192.0.2.2"))))));
    }

    @Test
    void gangOnOneNodeHasNoTunnel() throws Exception {
        assertThat(shaping(plan("base", Map.of(0, "n1", 1, "n1"))).network().vxlan())
                .isEmpty();
    }

    @Test
    void restoredVmBootsThisNodesFilesIfTheyAreTheSame() throws Exception {
        assertThat(shaping.bootFiles(snapshot(shaping.description(boot)))).isEqualTo(boot);
    }

    @Test
    void snapshotOfOtherBootFilesWithoutThemIsRefused() {
        SortedMap<String, String> other = shaping.description(boot);
        other.put("image.digest", "other");
        assertThatThrownBy(() -> shaping.bootFiles(snapshot(other)))
                .isInstanceOf(StepException.class)
                .hasMessageContaining("vm1 needs image.digest other");
    }

    @Test
    void descriptionNamesAllThatSnapshotNeeds() {
        assertThat(shaping.description(boot))
                .isEqualTo(Map.of(
                        "machine.accelerator", "tcg",
                        "machine.version", "pc-q35-7.2",
                        "machine.cpu", "max/tcg-7.2",
                        "machine.vcpus", "2",
                        "machine.memory.bytes", "268435456",
                        "image", "base",
                        "image.digest", "aabbcc"));
    }

    @Test
    void snapshotOfEqualMachineFitsAndMayKnowMore() throws Exception {
        SortedMap<String, String> theirs = shaping.description(boot);
        theirs.put("stored.bytes", "17");
        shaping.requireFit(snapshot(theirs), boot);
    }

    @Test
    void snapshotThatDiffersInAnythingIsRefusedWithWhat() {
        for (String key : shaping.description(boot).keySet()) {
            SortedMap<String, String> other = shaping.description(boot);
            other.put(key, "other");
            assertThatThrownBy(() -> shaping.requireFit(snapshot(other), boot))
                    .isInstanceOf(StepException.class)
                    .hasMessageContaining("vm1 needs " + key + " other");
            SortedMap<String, String> none = shaping.description(boot);
            none.remove(key);
            assertThatThrownBy(() -> shaping.requireFit(snapshot(none), boot))
                    .isInstanceOf(StepException.class)
                    .hasMessageContaining(key);
        }
    }

    private static SnapshotManifest snapshot(SortedMap<String, String> attributes) {
        return new SnapshotManifest(new SnapshotIdentity("j", 5, 1, 1), Instant.EPOCH, new TreeMap<>(), attributes);
    }
}
