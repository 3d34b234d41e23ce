package org.stillcut.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class QemuCommandLineTest {

    private static final VmSpec FULL = new VmSpec(
            "vm1",
            VmMachine.of(Accelerator.TCG, 2, 256L << 20),
            Optional.of(
                    new VmBoot(Path.of("/i/vmlinuz"), Path.of("/i/initrd"), Path.of("/i/base.sqfs"), "quiet a=b,c")),
            List.of(new VmDisk("disk0", Path.of("/d/disk0.raw"), "disk0.0", Path.of("/d/disk0.1.qcow2"), "disk0.1")),
            Optional.of(new VmNic("sc-job", "tap1", "52:54:00:77:00:02", 1450)),
            new VmFiles(Path.of("/ram/vm1"), Path.of("/r")),
            Map.of());

    private static final List<String> FULL_BOOT = List.of(
            "nsenter",
            "--net=/run/netns/sc-job",
            "--",
            "qemu-system-x86_64",
            "-name",
            "vm1",
            "-nodefaults",
            "-no-user-config",
            "-no-reboot",
            "-display",
            "none",
            "-sandbox",
            "on,obsolete=deny,elevateprivileges=deny,spawn=deny",
            "-machine",
            "pc-q35-7.2,accel=tcg,memory-backend=ram0",
            "-cpu",
            "max",
            "-smp",
            "2",
            "-m",
            "256M",
            "-object",
            "memory-backend-file,id=ram0,size=268435456,share=on,mem-path=/ram/vm1",
            "-rtc",
            "base=utc,clock=host",
            "-chardev",
            "socket,id=qmp,path=/r/qmp.sock,server=on,wait=off",
            "-mon",
            "chardev=qmp,mode=control",
            "-chardev",
            "file,id=console,path=/r/console.log",
            "-serial",
            "chardev:console",
            "-device",
            "virtio-serial-pci,id=serial,bus=pcie.0,addr=0x2",
            "-chardev",
            "socket,id=control,path=/r/ctl.sock,server=on,wait=off",
            "-device",
            "virtserialport,bus=serial.0,nr=1,chardev=control,name=stillcut.control",
            "-device",
            "virtio-rng-pci,id=rng,bus=pcie.0,addr=0x3",
            "-blockdev",
            "driver=raw,node-name=root.0,read-only=on,file.driver=file,file.filename=/i/base.sqfs,"
                    + "file.read-only=on,file.locking=off",
            "-device",
            "virtio-blk-pci,id=root,bus=pcie.0,addr=0x4,drive=root.0,serial=root",
            "-blockdev",
            "driver=raw,node-name=disk0.0,cache.no-flush=on,file.driver=file,file.filename=/d/disk0.raw",
            "-blockdev",
            "driver=qcow2,node-name=disk0.1,backing=disk0.0,discard=unmap,cache.no-flush=on,file.driver=file,"
                    + "file.filename=/d/disk0.1.qcow2",
            "-device",
            "virtio-blk-pci,id=disk0,bus=pcie.0,addr=0x5,drive=disk0.1,serial=disk0",
            "-netdev",
            "tap,id=net0,ifname=tap1,script=no,downscript=no,vhost=off",
            "-device",
            "virtio-net-pci,id=nic,bus=pcie.0,addr=0xd,netdev=net0,mac=52:54:00:77:00:02,host_mtu=1450,romfile=",
            "-kernel",
            "/i/vmlinuz",
            "-initrd",
            "/i/initrd",
            "-append",
            "quiet a=b,c");

    @Test
    void bootHasEveryDeviceInItsSlot() {
        assertThat(QemuCommandLine.boot(FULL)).containsExactlyElementsOf(FULL_BOOT);
    }

    @Test
    void restoreIsTheSameMachineStoppedAndWaiting() {
        List<String> expected = new ArrayList<>(FULL_BOOT);
        expected.addAll(List.of("-S", "-incoming", "defer"));
        assertThat(QemuCommandLine.restore(FULL)).containsExactlyElementsOf(expected);
    }

    @Test
    void commaInPathCannotBecomeAnOption() {
        VmSpec spec = new VmSpec(
                "vm0",
                FULL.machine(),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                new VmFiles(Path.of("/ram,share=off"), Path.of("/r,server=off")),
                Map.of());
        assertThat(QemuCommandLine.boot(spec))
                .contains("memory-backend-file,id=ram0,size=268435456,share=on,mem-path=/ram,,share=off")
                .contains("socket,id=qmp,path=/r,,server=off/qmp.sock,server=on,wait=off");
    }

    @Test
    void vmWithoutNicIsNotStartedInANamespace() {
        VmSpec spec = LabVm.spec(Path.of("/r"), List.of());
        assertThat(QemuCommandLine.boot(spec)).startsWith("qemu-system-x86_64").doesNotContain("-netdev", "-kernel");
    }

    @Test
    void specsThatCannotWorkAreRefused() {
        assertThatThrownBy(() -> VmMachine.of(Accelerator.TCG, 0, 1 << 20)).hasMessageContaining("processor");
        assertThatThrownBy(() -> VmMachine.of(Accelerator.TCG, 1, (1 << 20) + 1))
                .hasMessageContaining("1 MiB");
        assertThatThrownBy(() -> new VmNic("ns", "tap0", "52-54-00-77-00-01", 1500))
                .hasMessageContaining("MAC");
        Path deep = Path.of("/" + "d".repeat(100));
        assertThatThrownBy(() -> new VmFiles(deep, deep)).hasMessageContaining("107 bytes");
    }
}
