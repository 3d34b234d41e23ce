package org.stillcut.coordinator.job;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.protocol.coordinator.JobPhase;
import org.stillcut.protocol.coordinator.JobState;

/**
 * Asks for periodic checkpoints of one job: the first one interval after the job began to run, also after a restart. One
 * that falls due while another is in progress is left out. Thread-safe: the loop observes, a timer says when one is due.
 */
final class CheckpointSchedule {
    private static final Logger log = LoggerFactory.getLogger(CheckpointSchedule.class);

    private final JobLoop loop;
    private final JobShell shell;
    private JobShell.@Nullable Cancellable next;

    CheckpointSchedule(JobLoop loop, JobShell shell) {
        this.loop = loop;
        this.shell = shell;
    }

    /** To be told of every state, in order. */
    synchronized void observe(JobState state) {
        Duration interval = loop.description().checkpointInterval();
        boolean wanted = !interval.isZero() && inIncarnation(state.phase());
        if (wanted && next == null) {
            next = shell.after(interval, this::due);
        } else if (!wanted && next != null) {
            next.cancel();
            next = null;
        }
    }

    private void due() {
        synchronized (this) {
            if (next == null) {
                return;
            }
            next = shell.after(loop.description().checkpointInterval(), this::due);
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
