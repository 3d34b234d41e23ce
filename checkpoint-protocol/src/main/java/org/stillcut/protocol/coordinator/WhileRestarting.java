package org.stillcut.protocol.coordinator;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.Watch;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointRefused;
import org.stillcut.protocol.coordinator.JobEffect.Refusal;
import org.stillcut.protocol.coordinator.JobRecord.CutConfirmed;
import org.stillcut.protocol.coordinator.JobRecord.RestartDecided;
import org.stillcut.protocol.coordinator.JobRecord.VmsReady;
import org.stillcut.protocol.coordinator.JobState.Restarting;
import org.stillcut.protocol.coordinator.JobState.Running;

/** A new incarnation is made from a checkpoint: the old ones go, all VMs are loaded, all VMs go on, all ranks go on. */
final class WhileRestarting {
    private WhileRestarting() {}

    static Transition enter(Job old, CheckpointId from, Placement placement) {
        if (!from.job().equals(old.id())) {
            throw new IllegalArgumentException("job " + old.id() + " restarted from " + from);
        }
        if (!placement.vms().equals(old.placement().vms())) {
            throw new IllegalArgumentException("job " + old.id() + " has " + old.placement() + ", not " + placement);
        }
        Job job = old.restarted(placement);
        return destroyFirst(destroying(job, from))
                .after(List.of(new RestartDecided(job.epoch(), from, placement)), List.of());
    }

    static Restarting destroying(Job job, CheckpointId from) {
        return new Restarting(job, from, Step.DESTROY, job.fence().destroyers());
    }

    static Restarting running(Job job, CheckpointId from) {
        return new Restarting(job, from, Step.RUN, job.placement().agents());
    }

    static Restarting thawing(Job job, CheckpointId from) {
        return new Restarting(job, from, Step.THAW, job.placement().agents());
    }

    private static Transition destroyFirst(Restarting state) {
        return state.awaited().isEmpty() ? load(state) : Barriers.open(state);
    }

    private static Transition load(Restarting state) {
        Job job = state.job();
        return Barriers.open(
                new Restarting(job, state.from(), Step.RESTORE, job.placement().agents()));
    }

    static Transition on(Restarting state, JobEvent event) {
        return switch (event) {
            case JobEvent.Reported _, JobEvent.DeadlinePassed _, JobEvent.AgentLost _, JobEvent.AgentConnected _ ->
                state.step() == Step.DESTROY ? whileDestroying(state, event) : whileMaking(state, event);
            case JobEvent.VmLost _ -> lossOr(state, event, Transition.to(state));
            case JobEvent.JobExited exited
            // Of a checkpoint that was taken when mpirun had just ended, it ends as soon as its VMs run.
            when (state.step() == Step.RUN || state.step() == Step.THAW)
                    && exited.incarnation().equals(state.job().incarnation()) ->
                end(state, new JobExit.Exited(exited.exitStatus()));
            case JobEvent.Watched watched ->
                Barriers.ended(state, watched)
                        .map(watch -> watched(state, watch, watched.refusal()))
                        .orElseGet(() -> Transition.to(state));
            case JobEvent.StopRequested(String reason) -> end(state, new JobExit.Cancelled(reason));
            case JobEvent.Recovered _ -> state.step() == Step.DESTROY ? destroyFirst(state) : Barriers.open(state);
            case JobEvent.CheckpointRequested _ ->
                Transition.to(state).then(new CheckpointRefused(Refusal.JOB_NOT_RUNNING));
            case JobEvent.JobExited _,
                    JobEvent.CommitDurable _,
                    JobEvent.CommitRejected _,
                    JobEvent.RestartPlanned _,
                    JobEvent.RestartImpossible _ -> Transition.to(state);
        };
    }

    /** Nothing of the new incarnation exists yet: only an agent that is gone can spoil it. */
    private static Transition whileDestroying(Restarting state, JobEvent event) {
        return event instanceof JobEvent.AgentLost
                ? lossOr(state, event, destroyed(state, event))
                : destroyed(state, event);
    }

    private static Transition whileMaking(Restarting state, JobEvent event) {
        if (event instanceof JobEvent.Reported(Report report) && Barriers.isAnswer(state, report)) {
            return answered(state, report);
        }
        if (event instanceof JobEvent.DeadlinePassed passed && Barriers.isDue(state, passed)) {
            return failed(state, state.awaited(), new CheckpointFailure.DeadlinePassed(state.step(), state.awaited()));
        }
        Transition unharmed = event instanceof JobEvent.AgentConnected connected
                ? Barriers.sendAgain(state, connected.agent())
                : Transition.to(state);
        return lossOr(state, event, unharmed);
    }

    private static Transition lossOr(Restarting state, JobEvent event, Transition otherwise) {
        Optional<CheckpointFailure> loss =
                state.step() == Step.RESTORE ? Losses.ofBeingMade(state, event) : Losses.ofExisting(state.job(), event);
        return loss.map(failure -> failed(state, List.of(), failure)).orElse(otherwise);
    }

    /** An agent that did not destroy in time is not waited for; if it is to hold new VMs, it will refuse them. */
    private static Transition destroyed(Restarting state, JobEvent event) {
        Restarting rest = state.withAwaited(Fencing.stillAwaited(state, event));
        return rest.awaited().isEmpty() ? Barriers.leave(state, load(rest)) : Transition.to(rest);
    }

    private static Transition answered(Restarting state, Report report) {
        return switch (report) {
            // Another node would not read a damaged snapshot better.
            case Report.Failed failed
            when failed.failure() instanceof CheckpointFailure.SnapshotDamaged ->
                failed(state, List.of(), failed.failure());
            case Report.Failed failed -> failed(state, List.of(failed.agent()), failed.failure());
            case Report.Done done -> {
                Restarting rest = state.withAwaited(Ordered.without(state.awaited(), done.agent()));
                yield rest.awaited().isEmpty() ? Barriers.leave(state, complete(rest)) : Transition.to(rest);
            }
        };
    }

    private static Transition complete(Restarting state) {
        Job job = state.job();
        return Watch.after(state.step())
                .map(watch -> Barriers.watch(state, watch, state.from(), new TreeMap<>()))
                .orElseGet(() -> Barriers.open(running(job, state.from())).persisting(new VmsReady(job.epoch())));
    }

    private static Transition watched(Restarting state, Watch watch, Optional<String> refusal) {
        return refusal.map(reason -> failed(state, List.of(), new CheckpointFailure.TrafficRefused(watch, reason)))
                .orElseGet(() -> Barriers.leave(state, goOn(state, watch)));
    }

    private static Transition goOn(Restarting state, Watch watch) {
        Job job = state.job();
        return watch == Watch.COMPARE
                ? Barriers.open(thawing(job, state.from())).persisting(new CutConfirmed(job.epoch()))
                : Transition.to(new Running(job.withFence(job.fence().trusting())));
    }

    private static Transition failed(Restarting state, Collection<AgentId> doubtful, CheckpointFailure failure) {
        Job job = blaming(state, failure).doubting(doubtful);
        return Barriers.leave(state, WhilePlanning.enter(job, failure));
    }

    /** What a failure says about the checkpoint: nothing, that it may be bad, or that it is. */
    private static Job blaming(Restarting state, CheckpointFailure failure) {
        Job job = state.job();
        return switch (failure) {
            case CheckpointFailure.SnapshotDamaged _ ->
                job.withBudget(job.budget().failedFrom(state.from(), true));
            case CheckpointFailure.TrafficRefused refused ->
                job.withBudget(job.budget().failedFrom(state.from(), refused.watch() == Watch.COMPARE));
            case CheckpointFailure.StepFailed failed
            when failed.step() != Step.DESTROY -> job.withBudget(job.budget().failedFrom(state.from(), false));
            case CheckpointFailure.StepFailed _,
                    CheckpointFailure.StoreFull _,
                    CheckpointFailure.Superseded _,
                    CheckpointFailure.AgentLost _,
                    CheckpointFailure.VmLost _,
                    CheckpointFailure.DeadlinePassed _,
                    CheckpointFailure.CoordinatorRestarted _,
                    CheckpointFailure.JobEnded _,
                    CheckpointFailure.CommitFailed _ -> job;
        };
    }

    private static Transition end(Restarting state, JobExit exit) {
        return Barriers.leave(state, WhileEnding.enter(state.job(), exit));
    }
}
