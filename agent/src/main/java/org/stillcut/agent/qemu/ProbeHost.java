package org.stillcut.agent.qemu;

import java.io.IOException;
import java.time.Duration;
import java.util.OptionalInt;

/** What {@link AcceleratorProbe} needs to know and do on its host. */
interface ProbeHost {

    boolean hasKvmDevice();

    /** Changes with each boot of the host; a verdict does not outlive it. */
    String bootId() throws IOException;

    String qemuVersion() throws IOException, InterruptedException;

    /**
     * Runs the probe image under KVM.
     *
     * @return QEMU's exit code, or empty if it had to be killed at the limit
     */
    OptionalInt runProbe(Duration limit) throws IOException, InterruptedException;
}
