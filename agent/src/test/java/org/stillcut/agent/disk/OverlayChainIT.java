package org.stillcut.agent.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.stillcut.agent.qemu.LabVm.DEADLINE;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.agent.qemu.EventWatch;
import org.stillcut.agent.qemu.LabVm;
import org.stillcut.agent.qemu.Vm;
import org.stillcut.agent.qemu.VmDisk;
import org.stillcut.agent.qemu.VmException;

@Timeout(20)
class OverlayChainIT extends DiskLab {

    @Test
    void firstCutHoldsBaseAndWhatWasWritten() throws Exception {
        write(3, 0x33);
        cut();
        assertThat(chain.unpersisted()).extracting(DiskLayer::number).containsExactly(0, 1);
        try (DiskChanges changes = chain.changes(DEADLINE)) {
            assertThat(clusters(changes)).containsEntry(3L, 0x33).hasSize((int) (SIZE / CLUSTER));
            assertThat(changes.dataBytes()).isEqualTo(CLUSTER);
        }
    }

    @Test
    void persistedBaseIsNotAmongTheChanges() throws Exception {
        vm.close();
        start(BaseContent.PERSISTED);
        write(5, 0x55);
        cut();
        try (DiskChanges changes = chain.changes(DEADLINE)) {
            assertThat(clusters(changes)).isEqualTo(Map.of(5L, 0x55));
        }
    }

    @Test
    void changesAfterFailedCheckpointsAreTheUnionOfTheirLayers() throws Exception {
        cut();
        chain.markPersisted(chain.unpersisted().getLast());
        write(1, 0x11);
        write(2, 0x12);
        cut();
        write(2, 0x22);
        write(4, 0x24);
        vm.qmp().execute("human-monitor-command", Map.of("command-line", qemuIo("write -z -u 65536 65536")), DEADLINE);
        cut();
        try (DiskChanges changes = chain.changes(DEADLINE)) {
            assertThat(clusters(changes)).isEqualTo(Map.of(1L, 0, 2L, 0x22, 4L, 0x24));
        }
    }

    @Test
    void emptyLayerHasNoChanges() throws Exception {
        cut();
        chain.markPersisted(chain.unpersisted().getLast());
        cut();
        try (DiskChanges changes = chain.changes(DEADLINE)) {
            assertThat(changes.extents()).isEmpty();
        }
    }

    @Test
    void abandonedOverlayLeavesNothingAndTheNextCutWorks() throws Exception {
        chain.prepare(vm.qmp(), DEADLINE);
        chain.abandonPrepared(vm.qmp(), DEADLINE);
        chain.abandonPrepared(vm.qmp(), DEADLINE);
        assertThat(directory.resolve("disk0.2.qcow2")).doesNotExist();
        write(7, 0x77);
        cut();
        try (DiskChanges changes = chain.changes(DEADLINE)) {
            assertThat(clusters(changes)).containsEntry(7L, 0x77);
        }
    }

    @Test
    void diskIsWritableAfterFailedAndAfterRepeatedSaves() throws Exception {
        vm.pause(DEADLINE);
        try (EventWatch end =
                vm.qmp().watch("failure", event -> event.text("status").equals("failed"))) {
            vm.qmp().execute("migrate", Map.of("uri", "unix:" + directory.resolve("nobody.sock")), DEADLINE);
            end.await(DEADLINE);
        }
        vm.resume(DEADLINE);
        write(1, 0x11);
        vm.pause(DEADLINE);
        vm.saveDeviceState(DEADLINE);
        vm.pause(DEADLINE);
        vm.resume(DEADLINE);
        write(2, 0x22);
        cut();
        try (DiskChanges changes = chain.changes(DEADLINE)) {
            assertThat(clusters(changes)).containsEntry(1L, 0x11).containsEntry(2L, 0x22);
        }
    }

    @Test
    void saveDuringBlockJobFailsAndVmGoesOn() throws Exception {
        fillDisk();
        cut();
        Map<String, Object> slow = Map.of(
                "job-id", "slow", "device", "disk0.2", "top-node", "disk0.1", "base-node", "disk0.0", "speed", 65536);
        vm.qmp().execute("block-commit", slow, DEADLINE);
        vm.pause(DEADLINE);
        assertThatThrownBy(() -> vm.saveDeviceState(DEADLINE))
                .isInstanceOf(VmException.class)
                .hasMessageStartingWith("vm0: device state was not saved");
        vm.resume(DEADLINE);
        write(3, 0x33);
    }

    @Test
    void lostVmMakesTheChainRefuseEverything() throws Exception {
        vm.kill();
        assertThatThrownBy(() -> chain.prepare(vm.qmp(), DEADLINE)).isInstanceOf(DiskException.class);
        assertThatThrownBy(() -> chain.prepare(vm.qmp(), DEADLINE))
                .isInstanceOf(DiskException.class)
                .hasMessageContaining("must be ended");
    }

    @Test
    void restoredVmReadsTheFrozenContent() throws Exception {
        write(6, 0x66);
        chain.prepare(vm.qmp(), DEADLINE);
        vm.pause(DEADLINE);
        OverlayChain.switchAll(vm.qmp(), List.of(chain), DEADLINE);
        byte[] state = vm.saveDeviceState(DEADLINE);
        Path ram = directory.resolve("ram");
        Path savedRam = Files.copy(ram, directory.resolve("ram.saved"));
        vm.resume(DEADLINE);
        write(6, 0x67);
        Path rebuilt = directory.resolve("rebuilt");
        try (DiskChanges changes = chain.changes(DEADLINE)) {
            rebuild(changes, rebuilt);
        }
        vm.close();
        Files.copy(savedRam, ram, StandardCopyOption.REPLACE_EXISTING);
        Files.copy(rebuilt, base, StandardCopyOption.REPLACE_EXISTING);
        chain = OverlayChain.create("disk0", base, BaseContent.PERSISTED, commands);
        VmDisk disk = chain.attachment();
        vm = Vm.restore(LabVm.spec(directory, List.of(disk)), state, DEADLINE);
        vm.resume(DEADLINE);
        assertGuestReads(6, 0x66);
    }
}
