package org.stillcut.agent.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.stillcut.agent.qemu.LabVm.DEADLINE;

import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.linux.HostCommandRunner;
import org.stillcut.agent.qemu.EventWatch;
import org.stillcut.agent.qemu.LabVm;
import org.stillcut.agent.qemu.Vm;
import org.stillcut.agent.qemu.VmDisk;
import org.stillcut.agent.qemu.VmException;

@Timeout(20)
class OverlayChainIT {

    private static final long CLUSTER = JobDisk.CLUSTER_BYTES;
    private static final long SIZE = 16 << 20;

    private final CommandRunner commands = new HostCommandRunner();
    private Path directory;
    private Path base;
    private OverlayChain chain;
    private Vm vm;

    @BeforeEach
    void startVmWithDisk() throws Exception {
        directory = LabVm.directory();
        base = directory.resolve("disk0.raw");
        try (RandomAccessFile file = new RandomAccessFile(base.toFile(), "rw")) {
            file.setLength(SIZE);
        }
        start(BaseContent.NEW);
    }

    private void start(BaseContent content) throws Exception {
        chain = OverlayChain.create("disk0", base, content, commands);
        vm = Vm.boot(LabVm.spec(directory, List.of(chain.attachment())), DEADLINE);
    }

    @AfterEach
    void cleanUp() throws Exception {
        vm.close();
        LabVm.delete(directory);
    }

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
    void mergePutsPersistedLayersIntoTheBaseAndKeepsTheOthers() throws Exception {
        write(1, 0x11);
        cut();
        write(2, 0x22);
        cut();
        chain.markPersisted(chain.unpersisted().getLast());
        write(3, 0x33);
        cut();
        write(4, 0x44);

        assertThat(chain.merge(vm.qmp(), DEADLINE)).isTrue();

        assertThat(chain.unpersisted()).extracting(DiskLayer::number).containsExactly(3);
        assertThat(directory.resolve("disk0.1.qcow2")).doesNotExist();
        assertThat(directory.resolve("disk0.2.qcow2")).doesNotExist();
        assertThat(byteAt(1)).isEqualTo(0x11);
        assertThat(byteAt(2)).isEqualTo(0x22);
        assertThat(byteAt(3)).isZero();
        try (DiskChanges changes = chain.changes(DEADLINE)) {
            assertThat(clusters(changes)).isEqualTo(Map.of(3L, 0x33));
        }
        for (int i = 1; i <= 4; i++) {
            assertGuestReads(i, 0x11 * i);
        }
        assertThat(chain.merge(vm.qmp(), DEADLINE)).isFalse();
    }

    @Test
    void chainStaysShortOverManyCheckpoints() throws Exception {
        int rounds = 40;
        for (int i = 0; i < rounds; i++) {
            write(i, i + 1);
            cut();
            chain.markPersisted(chain.unpersisted().getLast());
            chain.merge(vm.qmp(), DEADLINE);
        }
        try (var files = Files.list(directory)) {
            assertThat(files.filter(file -> file.toString().endsWith(".qcow2"))).hasSize(1);
        }
        assertThat(vm.qmp().execute("query-named-block-nodes", Map.of("flat", true), DEADLINE))
                .as("two layers, each with its file")
                .hasSize(4);
        for (int i = 0; i < rounds; i++) {
            assertThat(byteAt(i)).isEqualTo(i + 1);
        }
    }

    @Test
    void chainStaysShortWhileEveryCheckpointFails() throws Exception {
        cut();
        chain.markPersisted(chain.unpersisted().getLast());
        write(1, 0x11);
        chain.merge(vm.qmp(), DEADLINE);
        int rounds = 30;
        for (int i = 0; i < rounds; i++) {
            write(10 + i, i + 1);
            write(2, i + 1);
            cut();
            chain.merge(vm.qmp(), DEADLINE);
            assertThat(chain.length()).isLessThanOrEqualTo(3);
        }
        monitor("write -z -u " + 10 * CLUSTER + " " + CLUSTER);
        cut();
        chain.merge(vm.qmp(), DEADLINE);
        assertThat(chain.unpersisted()).hasSize(1);
        try (DiskChanges changes = chain.changes(DEADLINE)) {
            assertThat(clusters(changes))
                    .hasSize(rounds + 2)
                    .containsEntry(1L, 0x11)
                    .containsEntry(2L, rounds)
                    .containsEntry(10L, 0)
                    .containsEntry(9L + rounds, rounds);
        }
        assertThat(byteAt(1)).as("the base, which the store has").isZero();
        assertThat(vm.qmp().execute("query-named-block-nodes", Map.of("flat", true), DEADLINE))
                .as("three layers, each with its file")
                .hasSize(6);
        chain.markPersisted(chain.unpersisted().getLast());
        chain.merge(vm.qmp(), DEADLINE);
        assertThat(chain.length()).isEqualTo(2);
        assertThat(byteAt(2)).isEqualTo(rounds);
        assertGuestReads(9 + rounds, rounds);
        assertGuestReads(10, 0);
    }

    @Test
    void chainStaysShortIfNoCheckpointEverSucceeded() throws Exception {
        for (int i = 0; i < 5; i++) {
            write(i, i + 1);
            cut();
            chain.merge(vm.qmp(), DEADLINE);
        }
        assertThat(chain.length()).isEqualTo(2);
        assertThat(chain.unpersisted()).extracting(DiskLayer::number).containsExactly(0);
        try (DiskChanges changes = chain.changes(DEADLINE)) {
            assertThat(clusters(changes))
                    .containsEntry(0L, 1)
                    .containsEntry(4L, 5)
                    .hasSize((int) (SIZE / CLUSTER));
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
    void cutsAndMergesExcludeEachOther() throws Exception {
        chain.prepare(vm.qmp(), DEADLINE);
        assertThatThrownBy(() -> chain.merge(vm.qmp(), DEADLINE)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> chain.prepare(vm.qmp(), DEADLINE)).isInstanceOf(IllegalStateException.class);
        vm.pause(DEADLINE);
        OverlayChain.switchAll(vm.qmp(), List.of(chain), DEADLINE);
        chain.markPersisted(chain.unpersisted().getLast());
        assertThatThrownBy(() -> chain.merge(vm.qmp(), DEADLINE))
                .isInstanceOf(DiskException.class)
                .hasMessageContaining("paused");
        vm.resume(DEADLINE);
        assertThat(chain.merge(vm.qmp(), DEADLINE)).isTrue();
    }

    @Test
    void refusedMergeHarmsNothingAndCanBeRepeated() throws Exception {
        fillDisk();
        cut();
        chain.markPersisted(chain.unpersisted().getLast());
        // A slow job of the same name is in the way.
        vm.qmp()
                .execute(
                        "block-commit",
                        Map.of(
                                "job-id", "merge-disk0",
                                "device", "disk0.2",
                                "top-node", "disk0.1",
                                "base-node", "disk0.0",
                                "speed", 65536),
                        DEADLINE);
        assertThatThrownBy(() -> chain.merge(vm.qmp(), DEADLINE)).isInstanceOf(DiskException.class);
        try (EventWatch end = vm.qmp().watch("cancel", event -> event.name().equals("BLOCK_JOB_CANCELLED"))) {
            vm.qmp().execute("block-job-cancel", Map.of("device", "merge-disk0", "force", true), DEADLINE);
            end.await(DEADLINE);
        }
        assertThat(chain.merge(vm.qmp(), DEADLINE)).isTrue();
        assertThat(byteAt(9)).isEqualTo(0x5a);
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

    private void cut() throws Exception {
        chain.prepare(vm.qmp(), DEADLINE);
        vm.pause(DEADLINE);
        OverlayChain.switchAll(vm.qmp(), List.of(chain), DEADLINE);
        vm.saveDeviceState(DEADLINE);
        vm.resume(DEADLINE);
    }

    private static void rebuild(DiskChanges changes, Path file) throws Exception {
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.setLength(SIZE);
            for (LayerExtent part : changes.extents()) {
                ByteBuffer bytes = ByteBuffer.allocate((int) part.extent().lengthBytes());
                changes.read(part, 0, bytes);
                out.seek(part.extent().guestOffsetBytes());
                out.write(bytes.array());
            }
        }
    }

    private void fillDisk() throws Exception {
        for (int i = 0; i < SIZE / CLUSTER; i++) {
            write(i, 0x5a);
        }
    }

    private void write(long cluster, int pattern) throws Exception {
        monitor("write -P " + pattern + " " + cluster * CLUSTER + " " + CLUSTER);
    }

    /** The monitor's qemu-io prints what it reads to QEMU's own output, so the chain is read from outside. */
    private void assertGuestReads(long cluster, int pattern) throws Exception {
        Path copy = directory.resolve("copy.raw");
        commands.run(
                CommandLine.of(
                        "qemu-img",
                        "convert",
                        "-U",
                        "-O",
                        "raw",
                        newestOverlay().toString(),
                        copy.toString()),
                DEADLINE);
        assertThat(byteAt(copy, cluster)).isEqualTo(pattern);
    }

    private Path newestOverlay() throws Exception {
        try (var files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".qcow2"))
                    .max(Comparator.naturalOrder())
                    .orElseThrow();
        }
    }

    private void monitor(String command) throws Exception {
        String output = vm.qmp()
                .execute("human-monitor-command", Map.of("command-line", qemuIo(command)), DEADLINE)
                .asText();
        assertThat(output).isEmpty();
    }

    private static String qemuIo(String command) {
        return "qemu-io -d /machine/peripheral/disk0/virtio-backend \"" + command + "\"";
    }

    private int byteAt(long cluster) throws Exception {
        return byteAt(base, cluster);
    }

    private static int byteAt(Path file, long cluster) throws Exception {
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            in.seek(cluster * CLUSTER + CLUSTER - 1);
            return in.read();
        }
    }

    /** Cluster number to its last byte, for all clusters that changed. */
    private static Map<Long, Integer> clusters(DiskChanges changes) throws Exception {
        Map<Long, Integer> clusters = new TreeMap<>();
        for (LayerExtent part : changes.extents()) {
            for (long at = 0; at < part.extent().lengthBytes(); at += CLUSTER) {
                ByteBuffer last = ByteBuffer.allocate(1);
                changes.read(part, at + CLUSTER - 1, last);
                clusters.put((part.extent().guestOffsetBytes() + at) / CLUSTER, (int) last.get(0));
            }
        }
        return clusters;
    }
}
