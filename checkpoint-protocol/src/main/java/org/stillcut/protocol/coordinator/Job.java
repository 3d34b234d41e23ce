package org.stillcut.protocol.coordinator;

import java.util.Collection;
import java.util.Optional;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;

/**
 * What a job has in every state.
 *
 * @param epoch the present incarnation's
 * @param placement where the VMs of the present incarnation are, or were
 * @param lastSequence the highest checkpoint sequence begun; zero when none was
 * @param unsettled the checkpoint that was begun and is neither committed nor aborted
 * @param committed the newest checkpoint that exists
 * @param deadlineToken the token of the deadline set last; one that passes with another token is stale
 */
public record Job(
        JobId id,
        long epoch,
        Placement placement,
        long lastSequence,
        Optional<CheckpointId> unsettled,
        Optional<CheckpointId> committed,
        RestartBudget budget,
        Fence fence,
        long deadlineToken) {

    /** A job of which nothing but its first record is known: no checkpoint. */
    static Job created(JobId id, Placement placement, int restartLimit, long epoch) {
        return new Job(
                id,
                epoch,
                placement,
                0,
                Optional.empty(),
                Optional.empty(),
                RestartBudget.full(restartLimit),
                Fence.NONE,
                0);
    }

    public Incarnation incarnation() {
        return new Incarnation(id, epoch);
    }

    CheckpointId nextCheckpoint() {
        return new CheckpointId(id, lastSequence + 1);
    }

    boolean places(AgentId agent) {
        return placement.vmsByAgent().containsKey(agent);
    }

    Job withNextDeadline() {
        return new Job(id, epoch, placement, lastSequence, unsettled, committed, budget, fence, deadlineToken + 1);
    }

    Job withFence(Fence changed) {
        return new Job(id, epoch, placement, lastSequence, unsettled, committed, budget, changed, deadlineToken);
    }

    Job withBudget(RestartBudget changed) {
        return new Job(id, epoch, placement, lastSequence, unsettled, committed, changed, fence, deadlineToken);
    }

    Job begun(CheckpointId begun) {
        long sequence = begun.sequence();
        return new Job(id, epoch, placement, sequence, Optional.of(begun), committed, budget, fence, deadlineToken);
    }

    /** No checkpoint is undecided any more. */
    Job settled() {
        return new Job(id, epoch, placement, lastSequence, Optional.empty(), committed, budget, fence, deadlineToken);
    }

    /** A checkpoint exists: it is what a restart starts from, and the restarts are counted anew. */
    Job committed(CheckpointId newest) {
        return withCommitted(Optional.of(newest)).withBudget(budget.refilled());
    }

    /** What the repository says exists, be it more or less than was known. */
    Job withCommitted(Optional<CheckpointId> newest) {
        long sequence =
                Math.max(lastSequence, newest.map(CheckpointId::sequence).orElse(0L));
        Optional<CheckpointId> open = unsettled.filter(begun -> !newest.equals(Optional.of(begun)));
        return new Job(id, epoch, placement, sequence, open, newest, budget, fence, deadlineToken);
    }

    /** The next incarnation, elsewhere; the present one has been declared {@link #over()}. */
    Job restarted(Placement elsewhere) {
        return new Job(
                id, epoch + 1, elsewhere, lastSequence, unsettled, committed, budget.spend(), fence, deadlineToken);
    }

    /** The present incarnation is over and is to be destroyed wherever it was. */
    Job over() {
        return withFence(fence.over(incarnation(), placement.agents()));
    }

    Job doubting(Collection<AgentId> agents) {
        return withFence(fence.doubting(agents));
    }
}
