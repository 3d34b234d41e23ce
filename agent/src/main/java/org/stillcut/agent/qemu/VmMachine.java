package org.stillcut.agent.qemu;

/**
 * The board of a VM. A snapshot can only be restored into an equal one, on any host: so the version and the processor
 * model are pinned, never "the newest" or "the host's".
 *
 * @param program the QEMU program, a name looked up in {@code PATH} or a path
 * @param version the machine type, for instance {@code pc-q35-7.2}
 * @param cpuModel for instance {@code max}, {@code host}, {@code Skylake-Server-v4}
 * @param accelerator never a list: KVM can be opened on hosts where it does not run, see {@link AcceleratorProbe}
 * @param vcpus number of virtual processors
 * @param memoryBytes a multiple of 1 MiB
 */
public record VmMachine(
        String program, String version, String cpuModel, Accelerator accelerator, int vcpus, long memoryBytes) {

    /** The program of the distribution, looked up in {@code PATH}. */
    public static final String DEFAULT_PROGRAM = "qemu-system-x86_64";

    /** The machine type that all QEMU versions from 7.2 on can restore. */
    public static final String DEFAULT_VERSION = "pc-q35-7.2";

    static final long MEBIBYTE = 1 << 20;

    public VmMachine {
        if (vcpus < 1) {
            throw new IllegalArgumentException("a VM needs at least one virtual processor, not " + vcpus);
        }
        if (memoryBytes < MEBIBYTE || memoryBytes % MEBIBYTE != 0) {
            throw new IllegalArgumentException("memory of a VM must be a multiple of 1 MiB, not " + memoryBytes + " B");
        }
    }

    /** The pinned default machine. */
    public static VmMachine of(Accelerator accelerator, int vcpus, long memoryBytes) {
        return new VmMachine(DEFAULT_PROGRAM, DEFAULT_VERSION, "max", accelerator, vcpus, memoryBytes);
    }
}
