package org.stillcut.agent.gang;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.guest.GuestListener;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.VmId;

/**
 * Hands on what a guest says, with the incarnation and VM it belongs to. Only the first VM has a mpirun: what others say of one
 * is nobody's output.
 */
record GuestVoice(Incarnation incarnation, VmId vm, GangListener listener) implements GuestListener {
    private static final Logger log = LoggerFactory.getLogger(GuestVoice.class);

    @Override
    public void output(int stream, long offset, byte[] data) {
        if (hasJob()) {
            listener.output(incarnation, stream, offset, data);
        }
    }

    @Override
    public void exited(int exitStatus) {
        if (hasJob()) {
            listener.jobExited(incarnation, exitStatus);
        }
    }

    void checkpointWanted(long wish) {
        listener.checkpointWanted(incarnation, vm, wish);
    }

    private boolean hasJob() {
        if (!vm.equals(VmId.LAUNCHER)) {
            log.debug("{} of {} speaks of a job that it does not have", vm, incarnation);
            return false;
        }
        return true;
    }
}
