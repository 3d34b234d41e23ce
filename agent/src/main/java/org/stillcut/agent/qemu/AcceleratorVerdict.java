package org.stillcut.agent.qemu;

/**
 * Which accelerator the VMs of this node use, and why.
 *
 * @param reason for the user, for instance {@code /dev/kvm did not run the probe within 5 s}
 */
public record AcceleratorVerdict(Accelerator accelerator, String reason) {

    @Override
    public String toString() {
        return accelerator + ": " + reason;
    }
}
