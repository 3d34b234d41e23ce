package org.stillcut.agent.qemu;

import org.jspecify.annotations.Nullable;

/**
 * A VM did not do what was asked of it. The message is one line: the VM, what failed, and what was seen, in QEMU's own
 * words where it had some.
 */
public final class VmException extends Exception {

    VmException(String vm, String what, @Nullable Throwable cause) {
        super(vm + ": " + what, cause);
    }

    VmException(String vm, String what) {
        this(vm, what, null);
    }
}
