package org.stillcut.protocol.agent;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.agent.AgentEffect.DisarmWatchdog;
import org.stillcut.protocol.agent.AgentEffect.Interrupt;
import org.stillcut.protocol.agent.AgentEffect.Perform;
import org.stillcut.protocol.agent.AgentState.Active;
import org.stillcut.protocol.agent.AgentState.Broken;
import org.stillcut.protocol.agent.AgentState.Checkpointing;
import org.stillcut.protocol.agent.AgentState.Created;
import org.stillcut.protocol.agent.AgentState.Creating;
import org.stillcut.protocol.agent.AgentState.Destroying;
import org.stillcut.protocol.agent.AgentState.Hosting;
import org.stillcut.protocol.agent.AgentState.Launching;
import org.stillcut.protocol.agent.AgentState.Undoing;
import org.stillcut.protocol.agent.AgentState.Vacant;

/**
 * The agent's state machine for one job, as a pure function. It keeps the steps in order, remembers what it has answered,
 * refuses what is over, and lets the job go on by itself when the coordinator falls silent in the middle.
 *
 * <p>The shell's duty for each transition: carry out {@code effects} one by one, take {@code next} as the state, only
 * then feed the next event. It routes commands by job, and begins with {@link #initial} for a job it does not know.
 */
public final class AgentProtocol {
    private AgentProtocol() {}

    /** The agent has nothing of the job. */
    public static AgentState initial(AgentId agent, JobId job) {
        return new Vacant(agent, job, 0);
    }

    /** What follows when an event meets a state. */
    public static AgentTransition step(AgentState state, AgentEvent event) {
        return switch (event) {
            case AgentEvent.CommandReceived(Command command) -> commanded(state, command);
            case AgentEvent.WorkDone done when isUnderWay(state, done.key()) -> WorkResults.done(state, done);
            case AgentEvent.WorkFailed failed when isUnderWay(state, failed.key()) -> WorkResults.failed(state, failed);
            case AgentEvent.CoordinatorSilent silent -> UndoSteps.coordinatorSilent(state, silent.checkpoint());
            case AgentEvent.WorkDone _, AgentEvent.WorkFailed _ -> AgentTransition.to(state);
        };
    }

    private static boolean isUnderWay(AgentState state, CommandKey key) {
        return state.working().equals(Optional.of(key));
    }

    private static AgentTransition commanded(AgentState state, Command command) {
        if (!command.incarnation().job().equals(state.job())) {
            throw new IllegalArgumentException("a command for " + command.incarnation() + " met job " + state.job());
        }
        return switch (state) {
            case Vacant vacant -> whileVacant(vacant, command);
            case Hosting hosting
            when hosting.incarnation().equals(command.incarnation()) -> whileHosting(hosting, command);
            case Hosting hosting -> ofAnotherIncarnation(hosting, command.key());
        };
    }

    private static AgentTransition whileVacant(Vacant state, Command command) {
        CommandKey key = command.key();
        long epoch = command.incarnation().epoch();
        return switch (command.step()) {
            case BOOT, RESTORE ->
                epoch > state.destroyedEpoch()
                        ? AgentTransition.to(
                                new Creating(new Host(state.agent(), key, command.vms(), Optional.empty())),
                                new Perform(command))
                        : AgentTransition.superseded(state, key, command.incarnation() + " was destroyed here");
            case DESTROY ->
                AgentTransition.done(
                        new Vacant(state.agent(), state.job(), Math.max(epoch, state.destroyedEpoch())), key);
            case START, RUN, THAW, PREPARE, QUIESCE, FREEZE, PAUSE, CAPTURE, RESUME, PERSIST, ABORT ->
                AgentTransition.superseded(state, key, "it has no VMs of " + command.incarnation());
        };
    }

    /** What is not here needs no destroying. Anything else would have two incarnations side by side. */
    private static AgentTransition ofAnotherIncarnation(Hosting state, CommandKey key) {
        Incarnation held = state.incarnation();
        if (key.step() == Step.DESTROY) {
            return AgentTransition.done(state, key);
        }
        return key.incarnation().epoch() < held.epoch()
                ? AgentTransition.superseded(state, key, "it has VMs of the newer " + held)
                : AgentTransition.refused(state, key, held + " must be destroyed here first");
    }

    private static AgentTransition whileHosting(Hosting state, Command command) {
        if (command.step() != Step.DESTROY && !command.vms().equals(state.host().vms())) {
            return AgentTransition.refused(
                    state, command.key(), "it has " + state.host().vms() + ", not " + command.vms());
        }
        return switch (command.step()) {
            case BOOT, RESTORE, START, RUN, THAW -> LaunchSteps.on(state, command);
            case PREPARE, QUIESCE, FREEZE, PAUSE, CAPTURE, RESUME, PERSIST -> CheckpointSteps.on(state, command);
            case ABORT -> UndoSteps.abort(state, command);
            case DESTROY -> destroy(state, command);
        };
    }

    private static AgentTransition destroy(Hosting state, Command command) {
        AgentTransition destroying = AgentTransition.to(new Destroying(state.host()), new Perform(command));
        return switch (state) {
            case Destroying under -> AgentTransition.to(under);
            case Creating _, Created _, Launching _, Active _, Checkpointing _, Undoing _, Broken _ ->
                destroying.after(quiet(state));
        };
    }

    /** What has to stop before other work may touch the VMs: the work under way, and the watchdog if it is armed. */
    static List<AgentEffect> quiet(Hosting state) {
        List<AgentEffect> effects = new ArrayList<>();
        state.working().ifPresent(key -> effects.add(new Interrupt(key)));
        if (state instanceof Checkpointing checkpointing && checkpointing.isDisturbed()) {
            effects.add(new DisarmWatchdog(checkpointing.id()));
        }
        return effects;
    }
}
