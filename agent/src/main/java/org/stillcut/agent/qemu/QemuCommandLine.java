package org.stillcut.agent.qemu;

import java.util.ArrayList;
import java.util.List;

/**
 * The command line of a VM's QEMU. Pure.
 *
 * <p>Every device has its PCI slot written down: QEMU would otherwise number them in the order of its own choice, and
 * the saved device state names them by slot.
 */
final class QemuCommandLine {

    /** Name of the virtio-serial port over which the agent and the guest daemon talk. */
    static final String GUEST_PORT = "stillcut.control";

    /** Name of the RAM block in the device state; a restore with another one fails with "Unknown ramblock". */
    private static final String RAM_ID = "ram0";

    private static final int SERIAL_SLOT = 0x2;
    private static final int RNG_SLOT = 0x3;
    private static final int ROOT_SLOT = 0x4;
    private static final int FIRST_DISK_SLOT = 0x5;
    private static final int NIC_SLOT = FIRST_DISK_SLOT + VmSpec.DISKS_LIMIT;

    private final VmSpec spec;
    private final List<String> arguments = new ArrayList<>();

    private QemuCommandLine(VmSpec spec) {
        this.spec = spec;
    }

    /** Boots at once. */
    static List<String> boot(VmSpec spec) {
        return new QemuCommandLine(spec).build();
    }

    /** Comes up empty and stopped, and waits to be told where its device state comes from. */
    static List<String> restore(VmSpec spec) {
        List<String> arguments = new ArrayList<>(boot(spec));
        arguments.addAll(List.of("-S", "-incoming", "defer"));
        return List.copyOf(arguments);
    }

    private List<String> build() {
        // Not "ip netns exec": that makes a mount namespace of its own, in which the agent's later mounts are missing.
        spec.nic().ifPresent(nic -> add("nsenter", "--net=/run/netns/" + nic.namespace(), "--"));
        VmMachine machine = spec.machine();
        add(machine.program());
        add("-name", QemuOption.of(spec.name()).toString());
        add("-nodefaults", "-no-user-config", "-no-reboot");
        add("-display", "none");
        // The guest is not trusted: a QEMU that it took over can neither start programs nor gain rights.
        add("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny");
        option(
                "-machine",
                QemuOption.of(machine.version())
                        .with("accel", machine.accelerator().optionName())
                        .with("memory-backend", RAM_ID));
        add("-cpu", machine.cpuModel());
        add("-smp", Integer.toString(machine.vcpus()));
        add("-m", machine.memoryBytes() / VmMachine.MEBIBYTE + "M");
        option(
                "-object",
                // A named file, not memfd: QEMU 10 leaves only named shared files out of the device state.
                QemuOption.of("memory-backend-file")
                        .with("id", RAM_ID)
                        .with("size", machine.memoryBytes())
                        .with("share", "on")
                        .with("mem-path", spec.files().ram()));
        add("-rtc", "base=utc,clock=host");
        addSockets();
        addRoot();
        for (int i = 0; i < spec.disks().size(); i++) {
            addDisk(spec.disks().get(i), FIRST_DISK_SLOT + i);
        }
        spec.nic().ifPresent(this::addNic);
        spec.boot().ifPresent(this::addBoot);
        return List.copyOf(arguments);
    }

    private void addSockets() {
        VmFiles files = spec.files();
        option("-chardev", listening("qmp", files.qmpSocket().toString()));
        add("-mon", "chardev=qmp,mode=control");
        option("-chardev", QemuOption.of("file").with("id", "console").with("path", files.console()));
        add("-serial", "chardev:console");
        option("-device", pci("virtio-serial-pci", "serial", SERIAL_SLOT));
        option("-chardev", listening("control", files.guestSocket().toString()));
        option(
                "-device",
                QemuOption.of("virtserialport")
                        .with("bus", "serial.0")
                        .with("nr", 1)
                        .with("chardev", "control")
                        .with("name", GUEST_PORT));
        option("-device", pci("virtio-rng-pci", "rng", RNG_SLOT));
    }

    private void addRoot() {
        spec.boot().ifPresent(boot -> {
            option(
                    "-blockdev",
                    QemuOption.of("driver=raw")
                            .with("node-name", "root.0")
                            .with("read-only", "on")
                            .with("file.driver", "file")
                            .with("file.filename", boot.rootImage())
                            .with("file.read-only", "on")
                            // Many VMs read this file, some over NFS, and none writes: locks would only get in the way.
                            .with("file.locking", "off"));
            option("-device", disk("root", "root.0", ROOT_SLOT));
        });
    }

    private void addDisk(VmDisk disk, int slot) {
        option(
                "-blockdev",
                QemuOption.of("driver=raw")
                        .with("node-name", disk.baseNode())
                        .with("cache.no-flush", "on")
                        .with("file.driver", "file")
                        .with("file.filename", disk.base()));
        option(
                "-blockdev",
                QemuOption.of("driver=qcow2")
                        .with("node-name", disk.overlayNode())
                        .with("backing", disk.baseNode())
                        .with("discard", "unmap")
                        // A node that crashes loses the VM anyway and goes back to a checkpoint, so waiting for the
                        // node's disk would protect nothing; the agent reads the same page cache.
                        .with("cache.no-flush", "on")
                        .with("file.driver", "file")
                        .with("file.filename", disk.overlay()));
        option("-device", disk(disk.name(), disk.overlayNode(), slot));
    }

    private void addNic(VmNic nic) {
        option(
                "-netdev",
                QemuOption.of("tap")
                        .with("id", "net0")
                        .with("ifname", nic.tap())
                        .with("script", "no")
                        .with("downscript", "no")
                        .with("vhost", "off"));
        option(
                "-device",
                pci("virtio-net-pci", "nic", NIC_SLOT)
                        .with("netdev", "net0")
                        .with("mac", nic.mac())
                        .with("host_mtu", nic.mtuBytes())
                        // Without the boot ROM, whose file may differ between hosts.
                        .with("romfile", ""));
    }

    private void addBoot(VmBoot boot) {
        add("-kernel", boot.kernel().toString());
        add("-initrd", boot.initrd().toString());
        add("-append", boot.commandLine());
    }

    private static QemuOption listening(String id, String path) {
        return QemuOption.of("socket")
                .with("id", id)
                .with("path", path)
                .with("server", "on")
                .with("wait", "off");
    }

    private static QemuOption disk(String serial, String node, int slot) {
        return pci("virtio-blk-pci", serial, slot).with("drive", node).with("serial", serial);
    }

    private static QemuOption pci(String driver, String id, int slot) {
        return QemuOption.of(driver)
                .with("id", id)
                .with("bus", "pcie.0")
                .with("addr", "0x" + Integer.toHexString(slot));
    }

    private void option(String name, QemuOption value) {
        add(name, value.toString());
    }

    private void add(String... words) {
        arguments.addAll(List.of(words));
    }
}
