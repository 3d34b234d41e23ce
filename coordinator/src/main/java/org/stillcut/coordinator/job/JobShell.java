package org.stillcut.coordinator.job;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.membership.Wish;
import org.stillcut.coordinator.placement.NoRoomException;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.protocol.coordinator.JobRecord;

/** What a job's loop needs of the world around it. */
public interface JobShell {
    /** Records decisions; they are durable when this returns. */
    void persist(JobId job, List<JobRecord> records);

    /**
     * What an agent has to know of a job to make its VMs.
     *
     * @param lazyRestore whether restored VMs may run before their RAM is there
     */
    record GangParts(JobDescription description, Placement placement, boolean lazyRestore) {}

    /** Sends a command in the agent's session; without a session it is dropped. */
    void send(AgentId agent, Command command, GangParts gang);

    /** Runs something later, until it is cancelled. */
    Cancellable after(Duration delay, Runnable action);

    /** Runs something that blocks, beside the loops. */
    void inBackground(String name, Runnable action);

    /**
     * Writes the commit record of a checkpoint; it is durable when this returns.
     *
     * @throws CommitException if it does not exist and will not
     */
    void commit(
            CheckpointId id,
            Job job,
            JobDescription description,
            SortedMap<VmId, SnapshotRef> snapshots,
            CheckpointFacts facts)
            throws CommitException;

    /** Forgets checkpoints of a job that its rules do not keep; blocks. What cannot be forgotten now is left. */
    void forgetOld(JobId job, JobDescription description);

    /** Asks an agent for a look at the traffic of an incarnation; without a session the request is dropped. */
    void look(AgentId agent, Incarnation incarnation, long round, boolean digest);

    /** Tells a program what has become of its wish; without a session to its agent it is dropped, and the wish comes again. */
    void answer(Wish wish, Wish.Outcome outcome, String text);

    /** What the VMs of a checkpoint will show when they are restored. */
    SortedMap<VmId, Long> sealedDigests(CheckpointId id) throws CommitException;

    /**
     * The checkpoint to go on from when an incarnation is lost: the newest it has committed itself, else the one it was
     * restarted from, else an older one. Not simply the newest: whoever restarted from an older one wanted to leave the newer
     * ones behind.
     *
     * @param distrusted must not be used
     */
    Optional<CheckpointId> checkpointToRestartFrom(Incarnation incarnation, SortedSet<CheckpointId> distrusted)
            throws CommitException;

    /**
     * A new place for a job on the nodes that are up; what the job itself has there will be free by then.
     *
     * @param excluded must not be used
     * @param doubtful should be used only if there is no other way
     */
    Placement placeAgain(
            JobId job, JobDescription description, SortedSet<AgentId> excluded, SortedSet<AgentId> doubtful)
            throws NoRoomException;

    /** A job's loop cannot go on, as a decision could not be recorded or was wrong: the process must end. */
    void giveUp(JobId job, RuntimeException failure);

    /** Something that was to happen and need not. */
    @FunctionalInterface
    interface Cancellable {
        void cancel();
    }
}
