package org.stillcut.agent.qemu;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Where a VM lives on its node.
 *
 * @param ram the file that is the guest's RAM, on a tmpfs. {@link Vm#boot} makes it anew; a restore expects it filled;
 *     it stays when the VM ends and belongs to the caller
 * @param runDirectory a directory for this VM alone: sockets and console
 */
public record VmFiles(Path ram, Path runDirectory) {

    /** Size of {@code sun_path} in Linux, less its terminating zero. */
    private static final int SOCKET_PATH_LIMIT_BYTES = 107;

    public VmFiles {
        String longest = runDirectory.resolve("state.sock").toString();
        int lengthBytes = longest.getBytes(StandardCharsets.UTF_8).length;
        if (lengthBytes > SOCKET_PATH_LIMIT_BYTES) {
            throw new IllegalArgumentException("the path of a unix socket may have " + SOCKET_PATH_LIMIT_BYTES
                    + " bytes, but this has " + lengthBytes + ": " + longest);
        }
    }

    /** QEMU's monitor. */
    Path qmpSocket() {
        return runDirectory.resolve("qmp.sock");
    }

    /** The host's end of the virtio-serial port {@value QemuCommandLine#GUEST_PORT}. */
    Path guestSocket() {
        return runDirectory.resolve("ctl.sock");
    }

    /** Exists only while device state is saved or loaded. */
    Path stateSocket() {
        return runDirectory.resolve("state.sock");
    }

    /** What the guest wrote to its serial line. */
    Path console() {
        return runDirectory.resolve("console.log");
    }
}
