package org.stillcut.protocol.coordinator;

import java.util.Optional;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointRefused;
import org.stillcut.protocol.coordinator.JobEffect.PlanRestart;
import org.stillcut.protocol.coordinator.JobEffect.Refusal;
import org.stillcut.protocol.coordinator.JobState.Planning;

/**
 * A part of the job is gone, so the job is: the shell looks for a checkpoint and for nodes. This state is not on record;
 * a coordinator that dies here finds the loss again after its recovery.
 */
final class WhilePlanning {
    private WhilePlanning() {}

    static Transition enter(Job job, CheckpointFailure reason) {
        if (job.budget().isSpent()) {
            return WhileLost.enter(
                    job,
                    reason.describe() + ", and " + job.budget().limit()
                            + " restarts since the newest checkpoint are enough");
        }
        return Transition.to(new Planning(job, reason))
                .then(new PlanRestart(job, job.fence().lost(), job.fence().doubtful(), reason));
    }

    static Transition on(Planning state, JobEvent event) {
        Job job = state.job();
        return switch (event) {
            case JobEvent.RestartPlanned(CheckpointId from, Placement placement) ->
                restart(job.over(), from, placement);
            case JobEvent.RestartImpossible(String reason) ->
                WhileLost.enter(job, state.reason().describe() + ", and " + reason);
            case JobEvent.JobExited exited
            when exited.incarnation().equals(job.incarnation()) && endsBrokenJob(exited.exitStatus()) ->
                WhileEnding.enter(job, new JobExit.Exited(exited.exitStatus()));
            case JobEvent.StopRequested(String reason) -> WhileEnding.enter(job, new JobExit.Cancelled(reason));
            case JobEvent.CheckpointRequested _ ->
                Transition.to(state).then(new CheckpointRefused(Refusal.JOB_NOT_RUNNING));
            case JobEvent.JobExited _,
                    JobEvent.Reported _,
                    JobEvent.DeadlinePassed _,
                    JobEvent.Watched _,
                    // The agents' comings and goings are noted in the job's fence, for when the plan arrives.
                    JobEvent.AgentLost _,
                    JobEvent.AgentConnected _,
                    JobEvent.VmLost _,
                    JobEvent.CommitDurable _,
                    JobEvent.CommitRejected _,
                    JobEvent.Recovered _ -> Transition.to(state);
        };
    }

    /**
     * Whether an exit ends a job of which a part is gone. A success does: the job had finished before the loss. A failure
     * does not: it is most likely the loss itself, seen by {@code mpirun}, and a restart makes up for it.
     */
    static boolean endsBrokenJob(int exitStatus) {
        return exitStatus == 0;
    }

    /**
     * Follows a plan, unless one of its agents was lost since it was made; that counts as a restart that failed, so that a shell
     * which insists on such plans comes to an end. The present incarnation has been declared over.
     */
    static Transition restart(Job job, CheckpointId from, Placement placement) {
        Optional<AgentId> lost = placement.agents().stream()
                .filter(agent -> job.fence().lost().contains(agent))
                .findFirst();
        return lost.map(agent -> enter(job.withBudget(job.budget().spend()), new CheckpointFailure.AgentLost(agent)))
                .orElseGet(() -> WhileRestarting.enter(job, from, placement));
    }
}
