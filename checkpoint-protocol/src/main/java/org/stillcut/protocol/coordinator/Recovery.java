package org.stillcut.protocol.coordinator;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.coordinator.JobRecord.CheckpointAborted;
import org.stillcut.protocol.coordinator.JobRecord.CheckpointBegun;
import org.stillcut.protocol.coordinator.JobRecord.CheckpointCommitted;
import org.stillcut.protocol.coordinator.JobRecord.CutConfirmed;
import org.stillcut.protocol.coordinator.JobRecord.JobAdopted;
import org.stillcut.protocol.coordinator.JobRecord.JobClosed;
import org.stillcut.protocol.coordinator.JobRecord.JobCreated;
import org.stillcut.protocol.coordinator.JobRecord.JobEnded;
import org.stillcut.protocol.coordinator.JobRecord.JobLost;
import org.stillcut.protocol.coordinator.JobRecord.RestartDecided;
import org.stillcut.protocol.coordinator.JobRecord.VmsReady;

/**
 * Reads a job's records one after the other. A recovered job is never simply running: the decision last recorded is
 * driven again, and the agents, which know what they have done, answer from memory or do the rest.
 */
final class Recovery {
    private Job job;
    private boolean vmsReady;
    private boolean cutConfirmed;
    private @Nullable CheckpointId from;
    private @Nullable CheckpointId openCheckpoint;
    private CheckpointFailure openFailure = new CheckpointFailure.CoordinatorRestarted();
    private @Nullable JobExit exit;
    private boolean closed;
    private @Nullable String lost;

    private Recovery(Job job) {
        this.job = job;
    }

    static JobState of(List<JobRecord> records, Optional<CheckpointId> newestCommitted) {
        Recovery recovery = new Recovery(first(records.isEmpty() ? null : records.getFirst()));
        records.stream().skip(1).forEach(recovery::read);
        recovery.believe(newestCommitted);
        return recovery.state();
    }

    private static Job first(@Nullable JobRecord record) {
        if (record instanceof JobCreated(JobId job, Placement placement, int restartLimit)) {
            return Job.created(job, placement, restartLimit, Incarnation.FIRST_EPOCH);
        }
        if (record instanceof JobAdopted(JobId job, Placement placement, int restartLimit, long epoch)) {
            return Job.created(job, placement, restartLimit, epoch);
        }
        throw new IllegalArgumentException("a job's first record is its creation, not " + record);
    }

    private void read(JobRecord record) {
        switch (record) {
            case JobAdopted again -> throw new IllegalArgumentException("a job is adopted once: " + again);
            case JobCreated again -> throw new IllegalArgumentException("a job is created once: " + again);
            case VmsReady _ -> ready();
            case CutConfirmed _ -> cutConfirmed = true;
            case CheckpointBegun(CheckpointId id) -> {
                job = job.begun(id);
                openCheckpoint = id;
                openFailure = new CheckpointFailure.CoordinatorRestarted();
            }
            case CheckpointAborted(CheckpointId _, CheckpointFailure failure) -> {
                job = job.settled();
                openFailure = failure;
            }
            case CheckpointCommitted(CheckpointId id) -> found(id);
            case RestartDecided(long epoch, CheckpointId id, Placement placement) -> restarted(epoch, id, placement);
            case JobLost(String reason) -> lost = reason;
            case JobEnded(JobExit how) -> exit = how;
            case JobClosed _ -> closed = true;
        }
    }

    /** From here on agents that connect say what they still hold of older incarnations; before, they are waited for. */
    private void ready() {
        vmsReady = true;
        job = job.withFence(Fence.NONE);
    }

    private void found(CheckpointId id) {
        job = job.committed(id);
        if (id.equals(openCheckpoint)) {
            openCheckpoint = null;
        }
    }

    /** The repository has the last word, in both directions: checkpoints are also pruned from it. */
    private void believe(Optional<CheckpointId> newestCommitted) {
        newestCommitted.filter(id -> id.equals(openCheckpoint)).ifPresent(this::found);
        job = job.withCommitted(newestCommitted);
    }

    private void restarted(long epoch, CheckpointId id, Placement placement) {
        if (epoch != job.epoch() + 1) {
            throw new IllegalArgumentException("epoch " + epoch + " does not follow " + job.incarnation());
        }
        boolean byHand = lost != null || exit != null;
        if (byHand) {
            job = job.withBudget(job.budget().refilled());
        }
        // Whether it was destroyed is not on record; an agent without it answers at once.
        job = job.over().restarted(placement);
        vmsReady = false;
        cutConfirmed = false;
        from = id;
        openCheckpoint = null;
        exit = null;
        closed = false;
        lost = null;
    }

    private JobState state() {
        if (exit != null) {
            return closed ? new JobState.Ended(job, exit) : WhileEnding.ending(job, exit);
        }
        if (lost != null) {
            return new JobState.Lost(job.over(), lost);
        }
        if (!vmsReady) {
            return from == null ? WhileStarting.booting(job) : WhileRestarting.destroying(job, from);
        }
        if (openCheckpoint != null) {
            return new JobState.Aborting(
                    job, openCheckpoint, openFailure, job.placement().agents());
        }
        if (from == null) {
            return WhileStarting.launching(job);
        }
        return cutConfirmed ? WhileRestarting.thawing(job, from) : WhileRestarting.running(job, from);
    }
}
