package org.stillcut.coordinator.job;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.membership.Wish;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.protocol.coordinator.JobEffect;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.JobState;
import org.stillcut.protocol.coordinator.Transition;

/** Carries out what a job's state machine has decided. Used by the job's loop only. */
final class JobEffects {
    private static final Logger log = LoggerFactory.getLogger(JobEffects.class);

    /** How long a job waits for room to be restarted. */
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private final JobLoop loop;
    private final JobShell shell;
    private final StageClock clock;
    private final TrafficWatcher watcher;
    private final RestartPlanning planning;
    private final CheckpointWishes wishes;
    private final CheckpointSchedule schedule;
    private final Map<CheckpointId, CompletableFuture<CheckpointId>> requesters = new HashMap<>();
    private JobShell.@Nullable Cancellable deadline;

    JobEffects(JobLoop loop, JobShell shell) {
        this.loop = loop;
        this.shell = shell;
        this.clock = new StageClock(System::nanoTime, loop.timeline().clock());
        this.watcher = new TrafficWatcher(shell, loop::post);
        this.planning = new RestartPlanning(loop, shell, PATIENCE);
        this.wishes = new CheckpointWishes(loop, shell);
        this.schedule = new CheckpointSchedule(loop, shell);
    }

    void carryOut(JobState before, Transition transition, Optional<CompletableFuture<CheckpointId>> requester) {
        clock.observe(transition.next());
        schedule.observe(transition.next());
        for (JobEffect effect : transition.effects()) {
            carryOut(effect, transition.next(), requester);
        }
        wishes.observe(transition.next());
        if (!before.describe().equals(transition.next().describe())) {
            log.debug("job {}: {}", loop.id(), transition.next().describe());
        }
    }

    private void carryOut(JobEffect effect, JobState state, Optional<CompletableFuture<CheckpointId>> requester) {
        switch (effect) {
            case JobEffect.Send send ->
                shell.send(
                        send.agent(),
                        send.command(),
                        new JobShell.GangParts(
                                loop.description(),
                                state.job().placement(),
                                loop.restoresLazily(send.command().incarnation())));
            case JobEffect.SetDeadline set -> setDeadline(set, state.job());
            case JobEffect.WatchTraffic watch ->
                watcher.begin(watch, state.job(), loop.description().gated());
            case JobEffect.CancelDeadline _ -> {
                cancelDeadline();
                watcher.end();
            }
            case JobEffect.WriteCommit commit -> commit(commit, state.job());
            case JobEffect.PlanRestart plan -> planning.plan(plan);
            case JobEffect.CheckpointStarted started ->
                requester.ifPresent(future -> requesters.put(started.id(), future));
            case JobEffect.CheckpointRefused refused ->
                requester.ifPresent(future ->
                        future.completeExceptionally(new CheckpointRefusedException(reason(refused.refusal()))));
            case JobEffect.CheckpointSettled settled -> settle(settled);
            case JobEffect.JobChanged changed -> loop.timeline().add(changed.description());
        }
    }

    /** An agent has looked at the traffic. May be called by any thread. */
    void traffic(TrafficAnswer answer) {
        watcher.take(answer);
    }

    /** A program of the job wants a checkpoint. May be called by any thread. */
    void wish(Wish wish) {
        wishes.add(wish);
    }

    private void setDeadline(JobEffect.SetDeadline set, Job job) {
        cancelDeadline();
        JobDescription description = loop.description();
        int vms = job.placement().vms().size();
        Duration duration =
                StepDeadlines.of(set.step(), vms * description.memoryBytesPerVm(), vms * description.diskBytesPerVm());
        deadline = shell.after(duration, () -> loop.post(new JobEvent.DeadlinePassed(set.token())));
    }

    private void cancelDeadline() {
        if (deadline != null) {
            deadline.cancel();
            deadline = null;
        }
    }

    private void commit(JobEffect.WriteCommit commit, Job job) {
        CheckpointFacts facts = new CheckpointFacts(clock.times(), watcher.quiescence());
        shell.inBackground("commit-" + commit.id(), () -> {
            try {
                shell.commit(commit.id(), job, loop.description(), commit.snapshots(), facts);
                loop.post(new JobEvent.CommitDurable(commit.id()));
            } catch (CommitException e) {
                log.warn("checkpoint {} not committed", commit.id(), e);
                loop.post(new JobEvent.CommitRejected(commit.id(), e.line()));
            } catch (RuntimeException e) {
                // Whether the checkpoint exists is not known; who starts anew reads it from the repository.
                shell.giveUp(loop.id(), e);
            }
        });
    }

    private void settle(JobEffect.CheckpointSettled settled) {
        CompletableFuture<CheckpointId> requester = requesters.remove(settled.id());
        switch (settled.outcome()) {
            case JobEffect.Outcome.Committed _ -> {
                StageTimes times = clock.times();
                // After a recovery nobody has measured it.
                String pause = times.equals(StageTimes.NONE)
                        ? ""
                        : "; pause " + times.pause().toMillis() + " ms";
                loop.timeline().add("checkpoint " + settled.id().sequence() + " is committed" + pause);
                schedule.measured(times);
                if (loop.description().policy().forgets()) {
                    shell.inBackground("forget-" + loop.id(), () -> shell.forgetOld(loop.id(), loop.description()));
                }
                if (requester != null) {
                    requester.complete(settled.id());
                }
            }
            case JobEffect.Outcome.Aborted aborted -> {
                String reason = aborted.failure().describe();
                log.warn("checkpoint {} failed: {}", settled.id(), reason);
                loop.timeline().add("checkpoint " + settled.id().sequence() + " failed: " + reason);
                if (requester != null) {
                    requester.completeExceptionally(new CheckpointAbortedException(reason));
                }
            }
        }
    }

    private String reason(JobEffect.Refusal refusal) {
        return switch (refusal) {
            case BUSY -> "a checkpoint of " + loop.id() + " is in progress";
            case JOB_NOT_RUNNING -> "job " + loop.id() + " is " + loop.state().describe();
            case JOB_OVER -> "job " + loop.id() + " " + loop.state().describe();
        };
    }
}
