package org.stillcut.agent.runtime;

import java.time.Duration;
import java.util.List;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/** The way to the coordinator. What is said while there is no session is dropped, and asked for again later. */
public interface CoordinatorLink {
    void report(Report report);

    /** What was seen of the job's traffic in a round. */
    void traffic(Incarnation incarnation, long round, List<VmTraffic> looks);

    /** Why there was no look in a round. */
    void noTraffic(Incarnation incarnation, long round, String reason);

    /** For how long nothing has been heard from the coordinator. */
    Duration silence();

    /** A program in a VM asks for a checkpoint. */
    void checkpointWanted(Incarnation incarnation, VmId vm, long wish);

    void vmLost(Incarnation incarnation, VmId vm, String reason);

    void jobExited(Incarnation incarnation, int exitStatus);

    void output(Incarnation incarnation, int stream, long offset, byte[] data);
}
