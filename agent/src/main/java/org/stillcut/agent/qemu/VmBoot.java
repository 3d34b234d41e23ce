package org.stillcut.agent.qemu;

import java.nio.file.Path;

/**
 * What a VM boots. The restored VM needs the same files, since QEMU loads them into the firmware tables again.
 *
 * @param kernel the Linux kernel
 * @param initrd the initial RAM disk
 * @param rootImage the read-only root file system, a raw image that any number of VMs share; the guest finds it as the
 *     disk with the serial number {@code root}
 * @param commandLine the kernel's command line
 */
public record VmBoot(Path kernel, Path initrd, Path rootImage, String commandLine) {}
