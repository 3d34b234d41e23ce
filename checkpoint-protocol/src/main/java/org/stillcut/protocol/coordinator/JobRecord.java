package org.stillcut.protocol.coordinator;

import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;

/**
 * A decision, durable before anybody acts on it. A job's records, in order, are all that
 * {@link CoordinatorProtocol#recover} needs, together with the repository. A record may stand in the log twice in a row;
 * it means the same.
 */
public sealed interface JobRecord {
    /** The first record of a job that begins here. */
    record JobCreated(JobId job, Placement placement, int restartLimit) implements JobRecord {}

    /**
     * The first record of a job that another coordinator had, of which the repository has checkpoints.
     *
     * @param epoch the last incarnation that is known; it has no VMs here
     */
    record JobAdopted(JobId job, Placement placement, int restartLimit, long epoch) implements JobRecord {}

    /**
     * All VMs of the epoch exist and are about to be set going. From here on they hold what cannot be made again: an
     * agent that does not have them any more has lost them, and must not be told to make new ones.
     */
    record VmsReady(long epoch) implements JobRecord {}

    /** The restored VMs of the epoch are what was sealed; from here on their job may be thawed. */
    record CutConfirmed(long epoch) implements JobRecord {}

    record CheckpointBegun(CheckpointId id) implements JobRecord {}

    /** For readers of the log; whether a checkpoint exists is known from the repository. */
    record CheckpointCommitted(CheckpointId id) implements JobRecord {}

    record CheckpointAborted(CheckpointId id, CheckpointFailure failure) implements JobRecord {}

    /** The job becomes this epoch; no earlier one is driven from here on. */
    record RestartDecided(long epoch, CheckpointId from, Placement placement) implements JobRecord {}

    record JobLost(String reason) implements JobRecord {}

    record JobEnded(JobExit exit) implements JobRecord {}

    /** An ended job's VMs were destroyed, as far as they could be reached. */
    record JobClosed() implements JobRecord {}
}
