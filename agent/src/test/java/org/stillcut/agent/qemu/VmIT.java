package org.stillcut.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.stillcut.agent.qemu.LabVm.DEADLINE;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class VmIT {

    private Path directory;
    private VmSpec spec;

    @BeforeEach
    void prepare() throws Exception {
        directory = LabVm.directory();
        spec = LabVm.spec(directory, List.of());
    }

    @AfterEach
    void cleanUp() throws Exception {
        LabVm.delete(directory);
    }

    @Test
    void bootedVmRunsAndHasNoBlockers() throws Exception {
        try (Vm vm = Vm.boot(spec, DEADLINE)) {
            assertThat(vm.status(DEADLINE)).isEqualTo("running");
            assertThat(vm.blockers(DEADLINE)).isEmpty();
            assertThat(vm.guestSocket()).exists();
            assertThat(ProcessHandle.of(vm.pid())).isPresent();
        }
    }

    @Test
    void filesOfVmAreReadableByOwnerOnly() throws Exception {
        try (Vm vm = Vm.boot(spec, DEADLINE)) {
            assertThat(PosixFilePermissions.toString(
                            Files.getPosixFilePermissions(vm.spec().files().ram())))
                    .isEqualTo("rw-------");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("run"))))
                    .isEqualTo("rwx------");
        }
    }

    @Test
    void pauseAndResumeMayBeRepeated() throws Exception {
        try (Vm vm = Vm.boot(spec, DEADLINE)) {
            vm.pause(DEADLINE);
            vm.pause(DEADLINE);
            assertThat(vm.status(DEADLINE)).isEqualTo("paused");
            vm.resume(DEADLINE);
            vm.resume(DEADLINE);
            assertThat(vm.status(DEADLINE)).isEqualTo("running");
        }
    }

    @Test
    void savedVmCanGoOnAndBeSavedAgain() throws Exception {
        try (Vm vm = Vm.boot(spec, DEADLINE)) {
            for (int i = 0; i < 3; i++) {
                vm.pause(DEADLINE);
                assertThat(vm.saveDeviceState(DEADLINE)).hasSizeBetween(50_000, 2_000_000);
                vm.resume(DEADLINE);
                assertThat(vm.status(DEADLINE)).isEqualTo("running");
            }
        }
    }

    @Test
    void restoredVmIsPausedAndCanBeSavedAgain() throws Exception {
        byte[] state;
        try (Vm vm = Vm.boot(spec, DEADLINE)) {
            vm.pause(DEADLINE);
            state = vm.saveDeviceState(DEADLINE);
        }
        try (Vm vm = Vm.restore(spec, state, DEADLINE)) {
            assertThat(vm.status(DEADLINE)).isEqualTo("paused");
            vm.resume(DEADLINE);
            vm.pause(DEADLINE);
            assertThat(vm.saveDeviceState(DEADLINE)).isNotEmpty();
            vm.resume(DEADLINE);
            assertThat(vm.status(DEADLINE)).isEqualTo("running");
        }
    }

    @Test
    void vmThatAwaitsItsDeviceStateCannotBeResumed() throws Exception {
        Vm.boot(spec, DEADLINE).close();
        try (Vm vm = Vm.prepareRestore(spec, DEADLINE)) {
            assertThat(vm.status(DEADLINE)).isEqualTo("inmigrate");
            assertThatThrownBy(() -> vm.resume(DEADLINE)).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void savingRunningVmIsRefused() throws Exception {
        try (Vm vm = Vm.boot(spec, DEADLINE)) {
            assertThatThrownBy(() -> vm.saveDeviceState(DEADLINE))
                    .isInstanceOf(VmException.class)
                    .hasMessageContaining("vm0: is in state running instead of [paused]");
        }
    }

    @Test
    void failedSaveLeavesVmUsable() throws Exception {
        try (Vm vm = Vm.boot(spec, DEADLINE)) {
            vm.pause(DEADLINE);
            // Nobody listens there, so QEMU cannot connect.
            Path socket = directory.resolve("nobody.sock");
            try (EventWatch end =
                    vm.qmp().watch("failure", event -> event.text("status").equals("failed"))) {
                vm.qmp().execute("migrate", Map.of("uri", "unix:" + socket), DEADLINE);
                end.await(DEADLINE);
            }
            assertThat(vm.saveDeviceState(DEADLINE)).isNotEmpty();
            vm.resume(DEADLINE);
            assertThat(vm.status(DEADLINE)).isEqualTo("running");
        }
    }

    @Test
    void saveThatMissesItsDeadlineIsCancelled() throws Exception {
        try (Vm vm = Vm.boot(spec, DEADLINE)) {
            vm.pause(DEADLINE);
            // With RAM in it the stream is longer than the socket's buffer, and nobody reads: QEMU cannot end.
            setIgnoreShared(vm, false);
            Path socket = directory.resolve("slow.sock");
            try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                server.bind(UnixDomainSocketAddress.of(socket));
                vm.qmp().execute("migrate", Map.of("uri", "unix:" + socket), DEADLINE);
                assertThatThrownBy(() -> vm.saveDeviceState(Duration.ofMillis(200)))
                        .isInstanceOf(VmException.class);
            }
            setIgnoreShared(vm, true);
            assertThat(vm.saveDeviceState(DEADLINE)).isNotEmpty();
            vm.resume(DEADLINE);
            assertThat(vm.status(DEADLINE)).isEqualTo("running");
        }
    }

    @Test
    void damagedDeviceStateIsRefusedWithQemusWords() throws Exception {
        byte[] state;
        try (Vm vm = Vm.boot(spec, DEADLINE)) {
            vm.pause(DEADLINE);
            state = vm.saveDeviceState(DEADLINE);
        }
        state[0] ^= 1;
        assertThatThrownBy(() -> Vm.restore(spec, state, DEADLINE))
                .isInstanceOf(VmException.class)
                .hasMessageStartingWith("vm0: device state was not loaded")
                .hasMessageContaining("Not a migration stream");
    }

    @Test
    void truncatedDeviceStateIsRefused() throws Exception {
        byte[] state;
        try (Vm vm = Vm.boot(spec, DEADLINE)) {
            vm.pause(DEADLINE);
            state = vm.saveDeviceState(DEADLINE);
        }
        byte[] half = Arrays.copyOf(state, state.length / 2);
        assertThatThrownBy(() -> Vm.restore(spec, half, DEADLINE))
                .isInstanceOf(VmException.class)
                .hasMessageStartingWith("vm0: device state was not loaded");
    }

    @Test
    void restoreWithoutRamFileIsRefused() {
        assertThatThrownBy(() -> Vm.prepareRestore(spec, DEADLINE))
                .isInstanceOf(VmException.class)
                .hasMessageContaining("RAM file is not ready");
    }

    @Test
    void failedStartNamesVmAndQemusReason() {
        VmBoot boot = new VmBoot(
                Path.of("/nowhere/vmlinuz"), Path.of("/nowhere/initrd"), Path.of("/nowhere/base.sqfs"), "quiet");
        VmSpec broken = new VmSpec(
                "vm7", spec.machine(), Optional.of(boot), List.of(), Optional.empty(), spec.files(), Map.of());
        assertThatThrownBy(() -> Vm.boot(broken, DEADLINE))
                .isInstanceOf(VmException.class)
                .hasMessageStartingWith("vm7: QEMU did not start: exit code 1, ")
                .hasMessageContaining("/nowhere/base.sqfs")
                .hasMessageNotContaining("\n");
    }

    @Test
    void missingProgramIsNamed() {
        VmMachine machine =
                new VmMachine("no-such-qemu", VmMachine.DEFAULT_VERSION, "max", Accelerator.TCG, 1, 64L << 20);
        VmSpec broken =
                new VmSpec("vm0", machine, Optional.empty(), List.of(), Optional.empty(), spec.files(), Map.of());
        assertThatThrownBy(() -> Vm.boot(broken, DEADLINE))
                .isInstanceOf(VmException.class)
                .hasMessageContaining("no-such-qemu");
    }

    @Test
    void killedQemuIsReportedAndCommandsFailAtOnce() throws Exception {
        try (Vm vm = Vm.boot(spec, DEADLINE)) {
            ProcessHandle.of(vm.pid()).orElseThrow().destroyForcibly();
            assertThat(vm.exited().toCompletableFuture().get(10, TimeUnit.SECONDS))
                    .isEqualTo(137);
            assertThatThrownBy(() -> vm.pause(DEADLINE))
                    .isInstanceOf(VmException.class)
                    .hasMessageContaining("exit code 137");
        }
    }

    @Test
    void killMayBeRepeatedAndLeavesNoSockets() throws Exception {
        Vm vm = Vm.boot(spec, DEADLINE);
        vm.kill();
        vm.kill();
        assertThat(ProcessHandle.of(vm.pid()).filter(ProcessHandle::isAlive)).isEmpty();
        try (var files = Files.list(spec.files().runDirectory())) {
            assertThat(files).containsExactly(spec.files().console());
        }
    }

    private static void setIgnoreShared(Vm vm, boolean on) throws Exception {
        List<Map<String, Object>> capabilities = List.of(Map.of("capability", "x-ignore-shared", "state", on));
        vm.qmp().execute("migrate-set-capabilities", Map.of("capabilities", capabilities), DEADLINE);
    }
}
