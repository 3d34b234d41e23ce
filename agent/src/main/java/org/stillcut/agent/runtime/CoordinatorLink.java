package org.stillcut.agent.runtime;

import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.VmId;

/** The way to the coordinator. What is said while there is no session is dropped, and asked for again later. */
public interface CoordinatorLink {
    void report(Report report);

    void vmLost(Incarnation incarnation, VmId vm, String reason);

    void jobExited(Incarnation incarnation, int exitStatus);

    void output(Incarnation incarnation, int stream, long offset, byte[] data);
}
