package org.stillcut.protocol.coordinator;

import java.util.Optional;
import java.util.TreeMap;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.Watch;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointRefused;
import org.stillcut.protocol.coordinator.JobEffect.Refusal;
import org.stillcut.protocol.coordinator.JobState.Checkpointing;

/** A checkpoint goes through its steps. Whatever goes wrong before the commit aborts it. */
final class WhileCheckpointing {
    private WhileCheckpointing() {}

    static Transition enter(Job job, CheckpointId id) {
        return openStep(job, id, Step.CHECKPOINT_ORDER.getFirst());
    }

    static Transition on(Checkpointing state, JobEvent event) {
        return switch (event) {
            case JobEvent.Reported(Report report) when Barriers.isAnswer(state, report) -> answered(state, report);
            case JobEvent.DeadlinePassed passed
            when Barriers.isDue(state, passed) ->
                abort(state, new CheckpointFailure.DeadlinePassed(state.step(), state.awaited()));
            case JobEvent.AgentConnected connected ->
                loss(state, event).orElseGet(() -> Barriers.sendAgain(state, connected.agent()));
            case JobEvent.AgentLost _, JobEvent.VmLost _ -> loss(state, event).orElseGet(() -> Transition.to(state));
            case JobEvent.JobExited exited
            when exited.incarnation().equals(state.job().incarnation()) ->
                end(state, new JobExit.Exited(exited.exitStatus()));
            case JobEvent.StopRequested(String reason) -> end(state, new JobExit.Cancelled(reason));
            case JobEvent.CheckpointRequested _ -> Transition.to(state).then(new CheckpointRefused(Refusal.BUSY));
            case JobEvent.Watched watched ->
                Barriers.ended(state, watched)
                        .map(watch -> watched(state, watch, watched.refusal()))
                        .orElseGet(() -> Transition.to(state));
            case JobEvent.Reported _,
                    JobEvent.DeadlinePassed _,
                    JobEvent.JobExited _,
                    JobEvent.CommitDurable _,
                    JobEvent.CommitRejected _,
                    JobEvent.RestartPlanned _,
                    JobEvent.RestartImpossible _,
                    // Recovery never rebuilds this state: a checkpoint that was in progress is aborted.
                    JobEvent.Recovered _ -> Transition.to(state);
        };
    }

    private static Transition answered(Checkpointing state, Report report) {
        return switch (report) {
            case Report.Failed failed -> abort(state, failed.failure());
            case Report.Done done
            when lacksSnapshots(state, done) ->
                abort(
                        state,
                        new CheckpointFailure.StepFailed(
                                done.agent(),
                                state.step(),
                                "snapshots of " + done.snapshots().keySet() + " instead of "
                                        + state.job().placement().vmsOf(done.agent())));
            case Report.Done done -> {
                Checkpointing rest = state.without(done);
                yield rest.awaited().isEmpty() ? Barriers.leave(state, complete(rest)) : Transition.to(rest);
            }
        };
    }

    /** An agent is a peer: it may have a version or a bug of its own, and a checkpoint must not be short of a VM for it. */
    private static boolean lacksSnapshots(Checkpointing state, Report.Done done) {
        return state.step() == Step.PERSIST
                && !done.snapshots().keySet().equals(state.job().placement().vmsOf(done.agent()));
    }

    private static Transition complete(Checkpointing state) {
        return Watch.after(state.step())
                .map(watch -> Barriers.watch(state, watch, state.id(), state.looks()))
                .orElseGet(() -> goOn(state));
    }

    private static Transition watched(Checkpointing state, Watch watch, Optional<String> refusal) {
        return refusal.map(reason -> abort(state, new CheckpointFailure.TrafficRefused(watch, reason)))
                .orElseGet(() -> Barriers.leave(state, goOn(state)));
    }

    private static Transition goOn(Checkpointing state) {
        return state.step()
                .nextOfCheckpoint()
                .map(next -> openStep(state.job(), state.id(), next))
                .orElseGet(() -> WhileCommitting.enter(state.job(), state.id(), state.snapshots()));
    }

    private static Transition openStep(Job job, CheckpointId id, Step step) {
        return Barriers.open(
                new Checkpointing(job, id, step, job.placement().agents(), new TreeMap<>(), new TreeMap<>()));
    }

    private static Transition abort(Checkpointing state, CheckpointFailure failure) {
        return Barriers.leave(state, WhileAborting.enter(state.job(), state.id(), failure));
    }

    /** The incarnation is broken: nothing of it is resumed, all of it will be destroyed by the restart. */
    private static Optional<Transition> loss(Checkpointing state, JobEvent event) {
        return Losses.ofExisting(state.job(), event)
                .map(failure -> Settling.aborted(state.id(), failure, WhilePlanning.enter(state.job(), failure)))
                .map(transition -> Barriers.leave(state, transition));
    }

    private static Transition end(Checkpointing state, JobExit exit) {
        Transition ending = WhileEnding.enter(state.job(), exit);
        return Barriers.leave(state, Settling.aborted(state.id(), new CheckpointFailure.JobEnded(), ending));
    }
}
