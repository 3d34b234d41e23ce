package org.stillcut.protocol.coordinator;

import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.Watch;
import org.stillcut.protocol.traffic.Round;

/**
 * What the shell is to do, in order, after the records of the same transition are durable. The shell may die between any
 * two of them: recovery drives what was left undone.
 */
public sealed interface JobEffect {
    /**
     * Send the command in the agent's session. Commands of one session arrive in order. Without a session the command is
     * dropped; {@code AgentConnected} will bring it back.
     */
    record Send(AgentId agent, Command command) implements JobEffect {}

    /** Feed {@code DeadlinePassed} with this token when the time that the shell grants the step is over. */
    record SetDeadline(long token, Step step) implements JobEffect {}

    /**
     * Watch the traffic of the job's VMs, then feed {@code Watched} with this token: always, and within a time that the
     * shell grants it.
     *
     * @param first what all VMs showed when the step before was done, each for itself; empty: nothing is known yet
     */
    record WatchTraffic(long token, Watch watch, CheckpointId checkpoint, Optional<Round> first) implements JobEffect {}

    /** The deadline or the watch does not matter any more; feeding its event all the same does no harm. */
    record CancelDeadline(long token) implements JobEffect {}

    /**
     * Write the commit record durably, then feed {@code CommitDurable} or {@code CommitRejected}: one of them, always.
     * The answer is an event like others, not part of this effect.
     */
    record WriteCommit(CheckpointId id, SortedMap<VmId, SnapshotRef> snapshots) implements JobEffect {
        public WriteCommit {
            snapshots = Ordered.map(snapshots);
        }
    }

    /**
     * Find a checkpoint, other than those that the job's restart budget distrusts, and a placement, then feed {@code RestartPlanned} or {@code RestartImpossible}.
     *
     * @param lost agents that must not be used
     * @param doubtful agents that should be used only if there is no other
     */
    record PlanRestart(Job job, SortedSet<AgentId> lost, SortedSet<AgentId> doubtful, CheckpointFailure reason)
            implements JobEffect {
        public PlanRestart {
            lost = Ordered.set(lost);
            doubtful = Ordered.set(doubtful);
        }
    }

    /** The answer to a request for a checkpoint: it was begun, and will be settled under this id. */
    record CheckpointStarted(CheckpointId id) implements JobEffect {}

    /** The answer to a request for a checkpoint: none was begun. */
    record CheckpointRefused(Refusal refusal) implements JobEffect {}

    /**
     * A checkpoint's fate is decided, for whoever waits for it. Said once for each checkpoint in one life of the
     * coordinator; the newest one's is said again after a recovery, as the life before may have died before it could.
     */
    record CheckpointSettled(CheckpointId id, Outcome outcome) implements JobEffect {}

    /** The job is in another phase, for whoever watches it. */
    record JobChanged(JobPhase phase, String description) implements JobEffect {}

    /** Why no checkpoint was begun. */
    enum Refusal {
        /** A checkpoint is being taken or undone; ask again when it is settled. */
        BUSY,
        /** The job is starting or being restarted; ask again when it runs. */
        JOB_NOT_RUNNING,
        /** The job has ended or is lost; asking again is of no use. */
        JOB_OVER
    }

    /** What became of a checkpoint. */
    sealed interface Outcome {
        record Committed() implements Outcome {}

        record Aborted(CheckpointFailure failure) implements Outcome {}
    }
}
