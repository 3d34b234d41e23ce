package org.stillcut.agent.gang;

import java.io.IOException;
import java.util.List;
import java.util.SortedMap;
import org.stillcut.agent.guest.ChangedFiles;
import org.stillcut.agent.guest.CheckpointOutcome;
import org.stillcut.agent.guest.GuestException;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/**
 * What the agent's loop does with the VMs of one incarnation. The real ones are a {@link Gang}; tests of the loop stand in for
 * it. The steps come one at a time and block until they are done; {@link #look}, {@link #signal}, {@link #changedFiles},
 * {@link #acknowledgeOutput} and {@link #sayAgain} may come meanwhile.
 */
public interface GangSteps {
    Incarnation incarnation();

    /** Makes and boots the VMs with the job's files on their disks. */
    void boot() throws StepException, InterruptedException;

    /** Rebuilds the VMs from a checkpoint; they are loaded and paused. */
    void restore(CheckpointId checkpoint) throws StepException, InterruptedException;

    /** Starts mpirun in the first VM. */
    void start() throws StepException;

    /** Sets restored VMs going, with the job still frozen. */
    void run() throws StepException, InterruptedException;

    /** Lets the job of VMs go on that were restored from the checkpoint. */
    void thaw(CheckpointId checkpoint) throws StepException, InterruptedException;

    /**
     * Looks at the job's traffic in all VMs; changes nothing, and may be done while a step is done.
     *
     * @param digest whether digests are wanted
     */
    List<VmTraffic> look(boolean digest) throws StepException, InterruptedException;

    void prepare() throws StepException, InterruptedException;

    /** Holds the ranks at their MPI calls; returns what each VM looked like then, as the two after it. */
    SortedMap<VmId, VmTraffic> quiesce() throws StepException, InterruptedException;

    SortedMap<VmId, VmTraffic> freeze() throws StepException, InterruptedException;

    /** Stops the VMs; returns what each looked like just before. */
    SortedMap<VmId, VmTraffic> pause() throws StepException, InterruptedException;

    void capture() throws StepException, InterruptedException;

    void resume() throws StepException, InterruptedException;

    /** Makes what was captured durable; one reference for each VM. */
    SortedMap<VmId, SnapshotRef> persist(CheckpointId checkpoint) throws StepException, InterruptedException;

    void abort() throws StepException, InterruptedException;

    /** Kills the VMs and removes all that belongs to them. May be repeated. */
    void destroy() throws StepException, InterruptedException;

    /** Hands a signal to mpirun. */
    void signal(int signalNumber) throws GuestException;

    /** Tells the program in a VM that asked for a checkpoint what has become of it. */
    void checkpointResult(VmId vm, long wish, CheckpointOutcome outcome, String text) throws GuestException;

    /** Reads what the job has changed in its directory, as {@link ChangedFiles#read} does. */
    void changedFiles(boolean contents, List<String> paths, ChangedFiles.Sink<IOException> sink)
            throws GuestException, IOException;

    /** Tells the guest what was recorded of the job's output; does not block. */
    void acknowledgeOutput(int stream, long offset);

    /** Says again what a coordinator that was away has to know: lost VMs, and output that was not acknowledged. */
    void sayAgain();
}
