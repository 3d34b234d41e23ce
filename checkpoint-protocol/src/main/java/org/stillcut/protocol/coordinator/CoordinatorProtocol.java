package org.stillcut.protocol.coordinator;

import java.util.List;
import java.util.Optional;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.coordinator.JobEffect.JobChanged;
import org.stillcut.protocol.coordinator.JobRecord.JobAdopted;
import org.stillcut.protocol.coordinator.JobRecord.JobCreated;
import org.stillcut.protocol.coordinator.JobRecord.JobLost;

/**
 * The coordinator's state machine for one job, as a pure function. One class per state decides, all named
 * {@code While…}; what is the same in every state stands here.
 *
 * <p>The shell's duty for each transition, in this order: make {@code persistFirst} durable, carry out {@code effects}
 * one by one, take {@code next} as the job's state, only then feed the next event. After a crash it rebuilds the state
 * with {@link #recover} and feeds {@link JobEvent.Recovered}.
 */
public final class CoordinatorProtocol {
    private CoordinatorProtocol() {}

    /**
     * The first transition of a new job's life.
     *
     * @param restartLimit how often the job is restarted by itself without a new checkpoint in between
     */
    public static Transition create(JobId job, Placement placement, int restartLimit) {
        Job created = Job.created(job, placement, restartLimit, Incarnation.FIRST_EPOCH);
        return announced(
                JobPhase.ENDED,
                Barriers.open(WhileStarting.booting(created)).persisting(new JobCreated(job, placement, restartLimit)));
    }

    /**
     * The first transition of a job that another coordinator had: it is lost, until a person restarts it from one of its checkpoints.
     *
     * @param placement where it may be restarted
     * @param epoch the last incarnation that its checkpoints know
     * @param newest the newest of its checkpoints
     */
    public static Transition adopt(JobId job, Placement placement, int restartLimit, long epoch, CheckpointId newest) {
        List<JobRecord> records = List.of(
                new JobAdopted(job, placement, restartLimit, epoch),
                new JobLost("it is known here by its checkpoints only"));
        return new Transition(Recovery.of(records, Optional.of(newest)), records, List.of());
    }

    /** What follows when an event meets a job in a state. */
    public static Transition step(JobState state, JobEvent event) {
        JobState noted = Fencing.note(state, event);
        Transition transition = switch (noted) {
            case JobState.Starting starting -> WhileStarting.on(starting, event);
            case JobState.Running running -> WhileRunning.on(running, event);
            case JobState.Checkpointing checkpointing -> WhileCheckpointing.on(checkpointing, event);
            case JobState.Committing committing -> WhileCommitting.on(committing, event);
            case JobState.Aborting aborting -> WhileAborting.on(aborting, event);
            case JobState.Planning planning -> WhilePlanning.on(planning, event);
            case JobState.Restarting restarting -> WhileRestarting.on(restarting, event);
            case JobState.Lost lost -> WhileLost.on(lost, event);
            case JobState.Ending ending -> WhileEnding.on(ending, event);
            case JobState.Ended ended -> WhileEnded.on(ended, event);
        };
        return announced(state.phase(), withCommonDuties(noted, event, transition));
    }

    /**
     * The state that the records lead to; feed {@link JobEvent.Recovered} to it next.
     *
     * @param records all of the job's records, in the order they were persisted
     * @param newestCommitted the newest of the job's checkpoints in the repository, which alone says what exists
     */
    public static JobState recover(List<JobRecord> records, Optional<CheckpointId> newestCommitted) {
        return Recovery.of(records, newestCommitted);
    }

    private static Transition withCommonDuties(JobState noted, JobEvent event, Transition transition) {
        return switch (event) {
            case JobEvent.AgentConnected connected -> transition.then(Fencing.destroy(noted.job(), connected.agent()));
            case JobEvent.Recovered _ -> settlingNewest(noted.job(), transition);
            case JobEvent.CheckpointRequested _,
                    JobEvent.Reported _,
                    JobEvent.DeadlinePassed _,
                    JobEvent.Watched _,
                    JobEvent.AgentLost _,
                    JobEvent.VmLost _,
                    JobEvent.JobExited _,
                    JobEvent.CommitDurable _,
                    JobEvent.CommitRejected _,
                    JobEvent.RestartPlanned _,
                    JobEvent.RestartImpossible _,
                    JobEvent.StopRequested _ -> transition;
        };
    }

    /**
     * The life before may have died between the commit and telling anybody, or before a checkpoint was decided whose job
     * was already over.
     */
    private static Transition settlingNewest(Job job, Transition transition) {
        Transition settled = transition
                .next()
                .job()
                .unsettled()
                .map(id -> Settling.aborted(id, new CheckpointFailure.CoordinatorRestarted(), transition))
                .orElse(transition);
        return job.committed()
                .filter(id -> id.sequence() == job.lastSequence())
                .map(id -> Settling.committed(id, settled))
                .orElse(settled);
    }

    private static Transition announced(JobPhase before, Transition transition) {
        JobState next = transition.next();
        return next.phase() == before ? transition : transition.then(new JobChanged(next.phase(), next.describe()));
    }
}
