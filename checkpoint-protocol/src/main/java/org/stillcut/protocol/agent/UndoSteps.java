package org.stillcut.protocol.agent;

import java.util.List;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Step;
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

/** {@link Step#ABORT}, by command or by the agent's own decision. */
final class UndoSteps {
    private UndoSteps() {}

    static AgentTransition abort(Hosting state, Command command) {
        CommandKey key = command.key();
        CheckpointId id = key.requireCheckpoint();
        return switch (state) {
            // A checkpoint of this incarnation cannot have begun; one of an earlier incarnation has nothing here.
            case Creating _, Created _, Launching _ -> AgentTransition.done(state, key);
            case Active active -> whileActive(active, command);
            case Checkpointing under
            when under.id().equals(id) ->
                AgentTransition.to(new Undoing(under.host(), id, true), new Perform(command))
                        .after(AgentProtocol.quiet(under));
            case Checkpointing under -> other(under, under.id(), key);
            case Undoing under when under.id().equals(id) -> AgentTransition.to(new Undoing(under.host(), id, true));
            case Undoing under -> other(under, under.id(), key);
            case Broken broken
            when broken.failed().equals(key) ->
                AgentTransition.to(new Undoing(broken.host(), id, true), new Perform(command));
            case Broken broken -> AgentTransition.failed(broken, key, broken.failure());
            case Destroying _ -> LaunchSteps.destroying(state, key);
        };
    }

    /** A checkpoint never begun here is marked as over, so that a late command cannot begin it. */
    private static AgentTransition whileActive(Active state, Command command) {
        CheckpointId id = command.key().requireCheckpoint();
        if (!state.host().isOver(id)) {
            return AgentTransition.done(new Active(state.host().with(new Fate.Aborted(id))), command.key());
        }
        return state.host().fate().orElse(null) instanceof Fate.Persisted persisted
                        && persisted.id().equals(id)
                ? AgentTransition.to(new Undoing(state.host(), id, true), new Perform(command))
                : AgentTransition.done(state, command.key());
    }

    private static AgentTransition other(Hosting state, CheckpointId present, CommandKey key) {
        return key.requireCheckpoint().isOlderThan(present)
                ? AgentTransition.done(state, key)
                : AgentTransition.refused(state, key, "checkpoint " + present + " is in progress");
    }

    /**
     * The job is held still and nobody says for how long: better no checkpoint than a job that stands still. From here on
     * the checkpoint is over at this agent, and so can never be committed.
     */
    static AgentTransition coordinatorSilent(AgentState state, CheckpointId id) {
        if (!(state instanceof Checkpointing under) || !under.id().equals(id) || !under.isDisturbed()) {
            return AgentTransition.to(state);
        }
        List<Interrupt> interrupts =
                under.working().map(Interrupt::new).stream().toList();
        return AgentTransition.to(
                        new Undoing(under.host(), id, false),
                        new Perform(under.host().command(Step.ABORT, id)))
                .after(interrupts);
    }
}
