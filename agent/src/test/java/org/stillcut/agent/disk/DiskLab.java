package org.stillcut.agent.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.stillcut.agent.qemu.LabVm.DEADLINE;

import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.linux.HostCommandRunner;
import org.stillcut.agent.qemu.LabVm;
import org.stillcut.agent.qemu.Vm;

/** A VM with one disk on a chain of layers, and means to write to it and to look at it. */
abstract class DiskLab {

    static final long CLUSTER = JobDisk.CLUSTER_BYTES;
    static final long SIZE = 16 << 20;

    final CommandRunner commands = new HostCommandRunner();
    Path directory;
    Path base;
    OverlayChain chain;
    Vm vm;

    @BeforeEach
    void startVmWithDisk() throws Exception {
        directory = LabVm.directory();
        base = directory.resolve("disk0.raw");
        try (RandomAccessFile file = new RandomAccessFile(base.toFile(), "rw")) {
            file.setLength(SIZE);
        }
        start(BaseContent.NEW);
    }

    final void start(BaseContent content) throws Exception {
        chain = OverlayChain.create("disk0", base, content, commands);
        vm = Vm.boot(LabVm.spec(directory, List.of(chain.attachment())), DEADLINE);
    }

    @AfterEach
    void cleanUp() throws Exception {
        vm.close();
        LabVm.delete(directory);
    }

    void cut() throws Exception {
        chain.prepare(vm.qmp(), DEADLINE);
        vm.pause(DEADLINE);
        OverlayChain.switchAll(vm.qmp(), List.of(chain), DEADLINE);
        vm.saveDeviceState(DEADLINE);
        vm.resume(DEADLINE);
    }

    static void rebuild(DiskChanges changes, Path file) throws Exception {
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

    void fillDisk() throws Exception {
        for (int i = 0; i < SIZE / CLUSTER; i++) {
            write(i, 0x5a);
        }
    }

    void write(long cluster, int pattern) throws Exception {
        monitor("write -P " + pattern + " " + cluster * CLUSTER + " " + CLUSTER);
    }

    /** The monitor's qemu-io prints what it reads to QEMU's own output, so the chain is read from outside. */
    void assertGuestReads(long cluster, int pattern) throws Exception {
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

    Path newestOverlay() throws Exception {
        try (var files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(".qcow2"))
                    .max(Comparator.naturalOrder())
                    .orElseThrow();
        }
    }

    void monitor(String command) throws Exception {
        String output = vm.qmp()
                .execute("human-monitor-command", Map.of("command-line", qemuIo(command)), DEADLINE)
                .asText();
        assertThat(output).isEmpty();
    }

    static String qemuIo(String command) {
        return "qemu-io -d /machine/peripheral/disk0/virtio-backend \"" + command + "\"";
    }

    int byteAt(long cluster) throws Exception {
        return byteAt(base, cluster);
    }

    static int byteAt(Path file, long cluster) throws Exception {
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            in.seek(cluster * CLUSTER + CLUSTER - 1);
            return in.read();
        }
    }

    /** Cluster number to its last byte, for all clusters that changed. */
    static Map<Long, Integer> clusters(DiskChanges changes) throws Exception {
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
