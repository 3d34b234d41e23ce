package org.stillcut.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.stillcut.agent.qemu.LabVm.DEADLINE;

import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.agent.disk.BaseContent;
import org.stillcut.agent.disk.DiskChanges;
import org.stillcut.agent.disk.Extent;
import org.stillcut.agent.disk.JobDisk;
import org.stillcut.agent.disk.LayerExtent;
import org.stillcut.agent.disk.OverlayChain;
import org.stillcut.agent.linux.CommandException;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.linux.Deadline;
import org.stillcut.agent.linux.HostCommandRunner;
import org.stillcut.agent.network.JobNetwork;
import org.stillcut.agent.network.NetworkLeftovers;
import org.stillcut.agent.network.NetworkPlan;

/** The real guest image, from boot over a cut to a restore in a new process. */
@Tag("e2e")
@Timeout(120)
class VmRestoreE2eTest {

    private static final Duration BOOT_DEADLINE = Duration.ofSeconds(60);
    private static final Path IMAGE = Path.of(System.getProperty("stillcut.image", "../build/image"));
    private static final long MEMORY_BYTES = 256L << 20;
    private static final long DISK_BYTES = 256L << 20;
    private static final int MTU_BYTES = 1450;

    private final CommandRunner commands = new HostCommandRunner();
    private final String namespace = "sce2e" + ProcessHandle.current().pid();
    private Path directory;
    private Path base;
    private JobNetwork network;

    @BeforeEach
    void prepare() throws Exception {
        directory = LabVm.directory();
        base = directory.resolve("disk0.raw");
        Path content = Files.createDirectories(directory.resolve("content/upper/root"));
        Files.writeString(content.resolve("input"), "input of the job\n");
        JobDisk.create(base, DISK_BYTES, directory.resolve("content"), commands);
        makeNetwork();
    }

    @AfterEach
    void cleanUp() throws Exception {
        network.close();
        LabVm.delete(directory);
        assertThat(new NetworkLeftovers(commands).find(namespace)).isEmpty();
    }

    @Test
    void killedVmGoesOnFromItsSnapshot() throws Exception {
        byte[] deviceState;
        Path savedRam = directory.resolve("ram.saved");
        Path savedDisk = directory.resolve("disk.saved");
        OverlayChain chain = OverlayChain.create("disk0", base, BaseContent.NEW, commands);
        try (Vm vm = Vm.boot(spec(chain), DEADLINE)) {
            awaitReady(vm);
            awaitAnswer(vm);
            chain.prepare(vm.qmp(), DEADLINE);
            vm.pause(DEADLINE);
            OverlayChain.switchAll(vm.qmp(), List.of(chain), DEADLINE);
            deviceState = vm.saveDeviceState(DEADLINE);
            Files.copy(vm.spec().files().ram(), savedRam);
            vm.resume(DEADLINE);
            awaitAnswer(vm);
            storeDisk(chain, savedDisk);
            chain.markPersisted(chain.unpersisted().getLast());
            chain.merge(vm.qmp(), DEADLINE);
            awaitAnswer(vm);
        }
        network.close();

        makeNetwork();
        Files.move(savedDisk, base, StandardCopyOption.REPLACE_EXISTING);
        OverlayChain rebuilt = OverlayChain.create("disk0", base, BaseContent.PERSISTED, commands);
        VmSpec spec = spec(rebuilt);
        Files.copy(savedRam, spec.files().ram(), StandardCopyOption.REPLACE_EXISTING);
        try (Vm vm = Vm.restore(spec, deviceState, DEADLINE)) {
            assertThat(vm.status(DEADLINE)).isEqualTo("paused");
            vm.resume(DEADLINE);
            awaitAnswer(vm);
            assertThat(vm.consoleTail()).as("it did not boot again").doesNotContain("STILLCUT-READY");
        }
    }

    private void makeNetwork() throws Exception {
        network = JobNetwork.create(new NetworkPlan(namespace, MTU_BYTES, List.of("tap0"), Optional.empty()), commands);
        commands.run(CommandLine.of("ip", "-n", namespace, "address", "add", "10.77.0.254/24", "dev", "br0"), DEADLINE);
    }

    private VmSpec spec(OverlayChain chain) {
        VmBoot boot = new VmBoot(
                IMAGE.resolve("vmlinuz"),
                IMAGE.resolve("initrd"),
                IMAGE.resolve("base.sqfs"),
                "no_timer_check console=ttyS0 quiet panic=-1 net.ifnames=0 stillcut.name=vm0 stillcut.ip=10.77.0.1/24 stillcut.vms=1");
        return new VmSpec(
                "vm0",
                VmMachine.of(Accelerator.TCG, 1, MEMORY_BYTES),
                Optional.of(boot),
                List.of(chain.attachment()),
                Optional.of(new VmNic(namespace, "tap0", "52:54:00:77:00:01", MTU_BYTES)),
                new VmFiles(directory.resolve("ram"), directory.resolve("run")),
                Map.of());
    }

    private static void awaitReady(Vm vm) throws Exception {
        Deadline deadline = Deadline.after(BOOT_DEADLINE);
        while (!vm.consoleTail().contains("STILLCUT-READY")) {
            assertThat(deadline.isOver() || vm.exited().toCompletableFuture().isDone())
                    .as(vm.consoleTail())
                    .isFalse();
            Thread.sleep(Duration.ofMillis(10));
        }
    }

    private void awaitAnswer(Vm vm) throws Exception {
        Deadline deadline = Deadline.after(DEADLINE);
        CommandLine ping = CommandLine.of(
                "nsenter", "--net=/run/netns/" + namespace, "--", "busybox", "ping", "-c", "1", "-W", "1", "10.77.0.1");
        boolean answered = false;
        while (!answered) {
            try {
                commands.run(ping, DEADLINE);
                answered = true;
            } catch (CommandException e) {
                assertThat(deadline.isOver())
                        .as(e.getMessage() + vm.consoleTail())
                        .isFalse();
            }
        }
    }

    private static void storeDisk(OverlayChain chain, Path file) throws Exception {
        try (DiskChanges changes = chain.changes(DEADLINE);
                RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.setLength(DISK_BYTES);
            for (LayerExtent part : changes.extents()) {
                if (part.extent().kind() == Extent.Kind.DATA) {
                    ByteBuffer bytes = ByteBuffer.allocate((int) part.extent().lengthBytes());
                    changes.read(part, 0, bytes);
                    out.seek(part.extent().guestOffsetBytes());
                    out.write(bytes.array());
                }
            }
        }
    }
}
