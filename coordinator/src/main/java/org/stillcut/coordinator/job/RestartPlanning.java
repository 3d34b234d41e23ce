package org.stillcut.coordinator.job;

import java.time.Duration;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.placement.NoRoomException;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.coordinator.Fence;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.protocol.coordinator.JobEffect.PlanRestart;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.JobState;

/**
 * Finds a checkpoint and a place for a job that has lost a part. When there is no room it waits, with growing pauses, for a
 * node to come back or to become free: a job whose nodes are rebooted together must not be given up for that. Of one job one
 * plan is made at a time; {@link #plan} is called by the job's loop.
 */
final class RestartPlanning {
    private static final Logger log = LoggerFactory.getLogger(RestartPlanning.class);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(500);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

    private final JobLoop loop;
    private final JobShell shell;
    private final Duration patience;

    /** @param patience how long to wait for room */
    RestartPlanning(JobLoop loop, JobShell shell, Duration patience) {
        this.loop = loop;
        this.shell = shell;
        this.patience = patience;
    }

    /** Answers with an event, now or later. */
    void plan(PlanRestart effect) {
        attempt(effect, FIRST_PAUSE, Duration.ZERO);
    }

    private void attempt(PlanRestart effect, Duration pause, Duration waited) {
        shell.inBackground("plan-" + loop.id(), () -> {
            // What is known of the agents may have changed since the effect was decided; nothing else has.
            Job job = loop.state() instanceof JobState.Planning planning ? planning.job() : effect.job();
            try {
                loop.post(planned(job));
            } catch (NoRoomException e) {
                retry(effect, e, pause, waited);
            } catch (CommitException e) {
                log.error("job {}: cannot look for a checkpoint", loop.id(), e);
                loop.post(new JobEvent.RestartImpossible(e.line()));
            } catch (RuntimeException e) {
                // A job must not wait for ever for a plan that does not come.
                log.error("job {}: planning its restart failed", loop.id(), e);
                loop.post(new JobEvent.RestartImpossible("planning failed: " + e));
            }
        });
    }

    private JobEvent planned(Job job) throws CommitException, NoRoomException {
        Optional<CheckpointId> from =
                shell.checkpointToRestartFrom(job.incarnation(), job.budget().distrusted());
        if (from.isEmpty()) {
            return new JobEvent.RestartImpossible(
                    job.budget().distrusted().isEmpty()
                            ? "there is no checkpoint"
                            : "no checkpoint is left that a restart has not failed from");
        }
        Fence fence = job.fence();
        Placement placement = shell.placeAgain(loop.id(), loop.description(), fence.lost(), fence.doubtful());
        return new JobEvent.RestartPlanned(from.get(), placement);
    }

    private void retry(PlanRestart effect, NoRoomException reason, Duration pause, Duration waited) {
        boolean over = !(loop.state() instanceof JobState.Planning);
        if (over || waited.plus(pause).compareTo(patience) > 0) {
            loop.post(new JobEvent.RestartImpossible(reason.line()));
            return;
        }
        if (waited.isZero()) {
            loop.timeline().add("waiting for room to restart: " + reason.line());
            loop.changes().raise();
        }
        Duration next = pause.multipliedBy(2);
        var scheduled = shell.after(
                pause,
                () -> attempt(effect, next.compareTo(LONGEST_PAUSE) < 0 ? next : LONGEST_PAUSE, waited.plus(pause)));
        log.debug("job {}: no room, tried again in {} ms ({})", loop.id(), pause.toMillis(), scheduled);
    }
}
