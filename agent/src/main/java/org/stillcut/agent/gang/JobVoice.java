package org.stillcut.agent.gang;

import org.stillcut.agent.guest.GuestListener;
import org.stillcut.protocol.Incarnation;

/** Hands on what a guest says of its job, with the incarnation it belongs to. */
record JobVoice(Incarnation incarnation, GangListener listener) implements GuestListener {
    @Override
    public void output(int stream, long offset, byte[] data) {
        listener.output(incarnation, stream, offset, data);
    }

    @Override
    public void exited(int exitStatus) {
        listener.jobExited(incarnation, exitStatus);
    }
}
