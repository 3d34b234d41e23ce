package org.stillcut.agent.qemu;

import java.nio.file.Path;

/**
 * A writable disk as the VM's command line opens it: a raw base that nobody writes to, and the qcow2 overlay in which
 * the guest's writes go.
 *
 * @param name the serial number by which the guest finds the disk, for instance {@code disk0}
 * @param base the raw image
 * @param baseNode QEMU's name for the base
 * @param overlay the qcow2 image on top
 * @param overlayNode QEMU's name for the overlay
 */
public record VmDisk(String name, Path base, String baseNode, Path overlay, String overlayNode) {

    /** QEMU's path of the device that owns this disk, for {@code query-block} and the monitor's {@code qemu-io -d}. */
    public String devicePath() {
        return "/machine/peripheral/" + name + "/virtio-backend";
    }
}
