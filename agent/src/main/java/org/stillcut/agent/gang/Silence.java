package org.stillcut.agent.gang;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.guest.GuestListener;
import org.stillcut.protocol.VmId;

/** For VMs without a mpirun of their own: what their guests say of a job is nobody's output. */
record Silence(VmId vm) implements GuestListener {
    private static final Logger log = LoggerFactory.getLogger(Silence.class);

    @Override
    public void output(int stream, long offset, byte[] data) {
        log.debug("{} speaks of a job that it does not have", vm);
    }

    @Override
    public void exited(int exitStatus) {
        log.debug("{} speaks of the end of a job that it does not have", vm);
    }
}
