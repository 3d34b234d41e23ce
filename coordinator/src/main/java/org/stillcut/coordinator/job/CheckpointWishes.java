package org.stillcut.coordinator.job;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.membership.Wish;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.coordinator.JobState;

/**
 * The wishes of a job's programs for a checkpoint. All that are there when one is begun are fulfilled by it; those that come
 * later get the next one, as their programs have gone on since. Thread-safe: the loop observes, agents' sessions add.
 */
final class CheckpointWishes {
    private static final Logger log = LoggerFactory.getLogger(CheckpointWishes.class);

    /** A program has one wish at a time. */
    private static final int MOST_WAITING = 10_000;

    private final JobLoop loop;
    private final JobShell shell;
    private final Set<Wish> waiting = new LinkedHashSet<>();
    private boolean asked;

    CheckpointWishes(JobLoop loop, JobShell shell) {
        this.loop = loop;
        this.shell = shell;
    }

    /** A wish has come, perhaps again. */
    void add(Wish wish) {
        synchronized (this) {
            if (waiting.size() >= MOST_WAITING) {
                log.warn(
                        "job {}: {} wishes for a checkpoint wait already; {} is dropped",
                        loop.id(),
                        MOST_WAITING,
                        wish);
                return;
            }
            waiting.add(wish);
        }
        observe(loop.state());
    }

    /** To be told of every state, in order. */
    void observe(JobState state) {
        switch (state.phase()) {
            case RUNNING -> ask(state.job().incarnation());
            case LOST, ENDING, ENDED -> answerAll("the job is over");
            // Those of an incarnation that is over were in its programs' memory, and are gone with it or answered by
            // the restart.
            case RESTARTING -> forgetOlderThan(state.job().incarnation());
            case STARTING, CHECKPOINTING, COMMITTING, ABORTING, PLANNING -> {
                // They wait.
            }
        }
    }

    private void ask(Incarnation incarnation) {
        List<Wish> fulfilled;
        synchronized (this) {
            waiting.removeIf(wish -> !wish.incarnation().equals(incarnation));
            if (asked || waiting.isEmpty()) {
                return;
            }
            asked = true;
            fulfilled = List.copyOf(waiting);
        }
        var ignored = loop.requestCheckpoint().whenComplete((id, failure) -> settled(fulfilled, id, failure));
    }

    private void settled(List<Wish> fulfilled, @Nullable CheckpointId id, @Nullable Throwable failure) {
        synchronized (this) {
            asked = false;
            if (failure instanceof CheckpointRefusedException) {
                // Another one was quicker: they wait until the job is running again.
                return;
            }
            fulfilled.forEach(waiting::remove);
        }
        for (Wish wish : fulfilled) {
            if (id != null) {
                shell.answer(wish, Wish.Outcome.COMMITTED, id.toString());
            } else {
                String reason = failure == null || failure.getMessage() == null ? "it failed" : failure.getMessage();
                shell.answer(wish, Wish.Outcome.FAILED, reason);
            }
        }
    }

    private void answerAll(String reason) {
        List<Wish> left;
        synchronized (this) {
            left = new ArrayList<>(waiting);
            waiting.clear();
        }
        left.forEach(wish -> shell.answer(wish, Wish.Outcome.UNAVAILABLE, reason));
    }

    private synchronized void forgetOlderThan(Incarnation incarnation) {
        waiting.removeIf(wish -> !wish.incarnation().equals(incarnation));
    }
}
