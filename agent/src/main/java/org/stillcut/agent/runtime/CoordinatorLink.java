package org.stillcut.agent.runtime;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.stillcut.agent.guest.ChangedFiles;
import org.stillcut.agent.guest.GuestException;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/** The way to the coordinator. What is said while there is no session is dropped, and asked for again later. */
public interface CoordinatorLink {
    /** Number of the delivery that comes before the end of a job is told. */
    long AT_END = 0;

    /** Writes the files of a delivery. */
    @FunctionalInterface
    interface FilesContent {
        void writeTo(ChangedFiles.Sink<IOException> sink) throws GuestException, IOException;
    }

    /**
     * Delivers files that a job has changed, or why they cannot be read; blocks until the coordinator has made them durable.
     *
     * @param request {@link #AT_END}, or the number of a request of the coordinator
     * @return false if the guest could not be read to the end; the coordinator knows why
     * @throws IOException if the coordinator did not take them
     */
    boolean deliverFiles(Incarnation incarnation, long request, FilesContent content)
            throws IOException, InterruptedException;

    /** Whether there is a session. */
    boolean isConnected();

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
