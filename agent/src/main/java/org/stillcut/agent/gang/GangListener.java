package org.stillcut.agent.gang;

import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.VmId;

/** Hears what happens to VMs by itself. Called by any thread; must not block for long. */
public interface GangListener {
    /** A VM is gone. */
    void vmLost(Incarnation incarnation, VmId vm, String reason);

    /** The job's mpirun has ended and all it printed was handed on before. May come more than once. */
    void jobExited(Incarnation incarnation, int exitStatus);

    /** A program in a VM asks for a checkpoint; comes again until it is answered. */
    void checkpointWanted(Incarnation incarnation, VmId vm, long wish);

    /** A piece of what the job prints; may come more than once. */
    void output(Incarnation incarnation, int stream, long offset, byte[] data);
}
