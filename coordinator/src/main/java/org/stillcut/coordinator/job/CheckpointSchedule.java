package org.stillcut.coordinator.job;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.coordinator.JobPhase;
import org.stillcut.protocol.coordinator.JobState;

/**
 * Asks for periodic checkpoints of one job: the first one interval after the job began to run, also after a restart. One
 * that falls due while another is in progress is left out. An automatic interval is found again before each. Thread-safe: the
 * loop observes, a timer says when one is due.
 */
final class CheckpointSchedule {
    private static final Logger log = LoggerFactory.getLogger(CheckpointSchedule.class);

    private final JobLoop loop;
    private final JobShell shell;
    private JobShell.@Nullable Cancellable next;
    private StageTimes last = StageTimes.NONE;

    CheckpointSchedule(JobLoop loop, JobShell shell) {
        this.loop = loop;
        this.shell = shell;
    }

    /** To be told of every state, in order. */
    synchronized void observe(JobState state) {
        boolean wanted = isPeriodic() && inIncarnation(state.phase());
        if (wanted && next == null) {
            next = shell.after(interval(state), this::due);
        } else if (!wanted && next != null) {
            next.cancel();
            next = null;
        }
    }

    /** A checkpoint has been committed, and took so long. */
    synchronized void measured(StageTimes times) {
        last = times;
        if (next != null && loop.description().policy().automatic()) {
            next.cancel();
            next = shell.after(interval(loop.state()), this::due);
        }
    }

    private boolean isPeriodic() {
        JobDescription description = loop.description();
        return description.policy().automatic()
                || !description.checkpointInterval().isZero();
    }

    private Duration interval(JobState state) {
        JobDescription description = loop.description();
        if (!description.policy().automatic()) {
            return description.checkpointInterval();
        }
        if (last.equals(StageTimes.NONE)) {
            return OptimalInterval.FIRST;
        }
        Duration seen = Duration.between(loop.created(), loop.timeline().clock().instant());
        Duration mtbf = OptimalInterval.meanTimeBetweenFailures(
                description.policy().expectedMtbf(),
                seen.isNegative() ? Duration.ZERO : seen,
                state.job().epoch() - Incarnation.FIRST_EPOCH);
        Duration interval = OptimalInterval.of(last.pause(), last.whole(), mtbf);
        log.debug("job {}: next checkpoint in {}, with {} between failures", loop.id(), interval, mtbf);
        return interval;
    }

    private void due() {
        synchronized (this) {
            if (next == null) {
                return;
            }
            next = shell.after(interval(loop.state()), this::due);
        }
        var ignored = loop.requestCheckpoint().whenComplete((_, refusal) -> {
            if (refusal instanceof CheckpointRefusedException) {
                log.info("job {}: periodic checkpoint left out: {}", loop.id(), refusal.getMessage());
            }
        });
    }

    private static boolean inIncarnation(JobPhase phase) {
        return switch (phase) {
            case RUNNING, CHECKPOINTING, COMMITTING, ABORTING -> true;
            case STARTING, PLANNING, RESTARTING, LOST, ENDING, ENDED -> false;
        };
    }
}
