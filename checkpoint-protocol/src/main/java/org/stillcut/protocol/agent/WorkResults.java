package org.stillcut.protocol.agent;

import java.util.List;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.agent.AgentEffect.DisarmWatchdog;
import org.stillcut.protocol.agent.AgentState.Active;
import org.stillcut.protocol.agent.AgentState.Broken;
import org.stillcut.protocol.agent.AgentState.Checkpointing;
import org.stillcut.protocol.agent.AgentState.Created;
import org.stillcut.protocol.agent.AgentState.Creating;
import org.stillcut.protocol.agent.AgentState.Destroying;
import org.stillcut.protocol.agent.AgentState.Hosting;
import org.stillcut.protocol.agent.AgentState.Launching;
import org.stillcut.protocol.agent.AgentState.Progress;
import org.stillcut.protocol.agent.AgentState.Undoing;
import org.stillcut.protocol.agent.AgentState.Vacant;

/** The end of the work that is under way. The caller has made sure that the result is of that work. */
final class WorkResults {
    private WorkResults() {}

    static AgentTransition done(AgentState state, AgentEvent.WorkDone done) {
        CommandKey key = done.key();
        return switch (state) {
            case Creating(Host host) -> AgentTransition.done(awaitingLaunch(host, 0), key);
            case Launching(Host host, Step step) ->
                AgentTransition.done(awaitingLaunch(host, host.launchSteps().indexOf(step) + 1), key);
            case Checkpointing checkpointing -> stepDone(checkpointing, done);
            case Undoing undoing -> undone(undoing);
            case Destroying destroying ->
                AgentTransition.done(
                        new Vacant(
                                destroying.agent(),
                                destroying.job(),
                                destroying.incarnation().epoch()),
                        key);
            case Vacant _, Created _, Active _, Broken _ -> throw idle(state, key);
        };
    }

    /** So many of the steps that set the VMs going are done. */
    private static Hosting awaitingLaunch(Host host, int done) {
        List<Step> steps = host.launchSteps();
        return done < steps.size() ? new Created(host, steps.get(done)) : new Active(host);
    }

    private static AgentTransition stepDone(Checkpointing state, AgentEvent.WorkDone done) {
        Host host = state.host();
        if (state.step() == Step.PERSIST) {
            return done.snapshots().keySet().equals(host.vms())
                    ? AgentTransition.done(
                            new Active(host.with(new Fate.Persisted(state.id(), done.snapshots()))),
                            done.key(),
                            done.snapshots())
                    : stepFailed(
                            state,
                            new CheckpointFailure.StepFailed(
                                    host.agent(),
                                    state.step(),
                                    "snapshots of " + done.snapshots().keySet() + " instead of " + host.vms()));
        }
        Progress.Complete complete = new Progress.Complete(done.looks());
        AgentTransition transition =
                AgentTransition.done(new Checkpointing(host, state.id(), state.step(), complete), done.key(), complete);
        return state.step() == Step.RESUME ? transition.after(List.of(new DisarmWatchdog(state.id()))) : transition;
    }

    private static AgentTransition undone(Undoing state) {
        Active active = new Active(state.host().with(new Fate.Aborted(state.id())));
        return state.commanded() ? AgentTransition.done(active, state.key()) : AgentTransition.to(active);
    }

    static AgentTransition failed(AgentState state, AgentEvent.WorkFailed failed) {
        CommandKey key = failed.key();
        CheckpointFailure failure = switch (failed.cause()) {
            case STORE_FULL -> new CheckpointFailure.StoreFull(state.agent(), failed.reason());
            case SNAPSHOT_DAMAGED -> new CheckpointFailure.SnapshotDamaged(state.agent(), failed.reason());
            case OTHER -> new CheckpointFailure.StepFailed(state.agent(), key.step(), failed.reason());
        };
        return switch (state) {
            case Creating _, Launching _ -> broken((Hosting) state, key, failure, true);
            case Destroying destroying -> destroyAgain(destroying, failure);
            case Checkpointing checkpointing -> stepFailed(checkpointing, failure);
            case Undoing undoing -> broken(undoing, key, failure, undoing.commanded());
            case Vacant _, Created _, Active _, Broken _ -> throw idle(state, key);
        };
    }

    /** The watchdog stays armed where it is: only an abort is to come, and it must come in time. */
    private static AgentTransition stepFailed(Checkpointing state, CheckpointFailure failure) {
        return AgentTransition.failed(
                new Checkpointing(state.host(), state.id(), state.step(), new Progress.Failed(failure)),
                state.key(),
                failure);
    }

    /** What is over must go: the coordinator is told that it takes longer, and the work is begun again. */
    private static AgentTransition destroyAgain(Destroying state, CheckpointFailure failure) {
        return AgentTransition.failed(state, state.key(), failure)
                .then(new AgentEffect.Perform(Command.destroy(state.incarnation())));
    }

    private static AgentTransition broken(Hosting state, CommandKey key, CheckpointFailure failure, boolean isAwaited) {
        Broken broken = new Broken(state.host(), key, failure);
        return isAwaited ? AgentTransition.failed(broken, key, failure) : AgentTransition.to(broken);
    }

    private static IllegalStateException idle(AgentState state, CommandKey key) {
        return new IllegalStateException("no work is under way in " + state + ", yet " + key + " ended");
    }
}
