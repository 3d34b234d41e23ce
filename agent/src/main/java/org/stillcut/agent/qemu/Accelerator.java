package org.stillcut.agent.qemu;

import java.util.Locale;

/** What runs the guest's instructions: the processor (KVM) or QEMU's translator (TCG). */
public enum Accelerator {
    KVM,
    TCG;

    /** The name on QEMU's command line. */
    String optionName() {
        return name().toLowerCase(Locale.ROOT);
    }
}
