package org.stillcut.protocol.agent;

import java.util.List;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.agent.AgentEffect.ArmWatchdog;
import org.stillcut.protocol.agent.AgentEffect.Perform;
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

/** The steps of a checkpoint from {@link Step#PREPARE} to {@link Step#PERSIST}, in their order and one at a time. */
final class CheckpointSteps {
    private CheckpointSteps() {}

    static AgentTransition on(Hosting state, Command command) {
        CommandKey key = command.key();
        return switch (state) {
            case Creating _, Created _, Launching _ -> AgentTransition.refused(state, key, "the job does not run yet");
            case Active active -> whileActive(active, command);
            case Checkpointing checkpointing -> whileCheckpointing(checkpointing, command);
            case Undoing undoing ->
                undoing.id().isOlderThan(key.requireCheckpoint())
                        ? AgentTransition.refused(state, key, "checkpoint " + undoing.id() + " is being undone")
                        : over(state, key);
            case Broken broken -> AgentTransition.failed(broken, key, broken.failure());
            case Destroying _ -> LaunchSteps.destroying(state, key);
        };
    }

    private static AgentTransition whileActive(Active state, Command command) {
        CommandKey key = command.key();
        CheckpointId id = key.requireCheckpoint();
        if (state.host().fate().orElse(null) instanceof Fate.Persisted persisted
                && persisted.id().equals(id)) {
            return key.step() == Step.PERSIST
                    ? AgentTransition.done(state, key, persisted.snapshots())
                    : AgentTransition.done(state, key);
        }
        if (state.host().isOver(id)) {
            return over(state, key);
        }
        return key.step() == Step.PREPARE
                ? begin(state.host(), command)
                : AgentTransition.refused(state, key, Step.PREPARE + " comes first");
    }

    private static AgentTransition whileCheckpointing(Checkpointing state, Command command) {
        CommandKey key = command.key();
        CheckpointId id = key.requireCheckpoint();
        if (!id.equals(state.id())) {
            return id.isOlderThan(state.id())
                    ? over(state, key)
                    : AgentTransition.refused(state, key, "checkpoint " + state.id() + " is in progress");
        }
        int ahead = Step.CHECKPOINT_ORDER.indexOf(key.step()) - Step.CHECKPOINT_ORDER.indexOf(state.step());
        if (ahead < 0) {
            return AgentTransition.done(state, key);
        }
        return ahead == 0 ? repeated(state, key) : later(state, command, ahead);
    }

    private static AgentTransition repeated(Checkpointing state, CommandKey key) {
        return switch (state.progress()) {
            case Progress.Working _ -> AgentTransition.to(state);
            case Progress.Complete complete -> AgentTransition.done(state, key, complete);
            case Progress.Failed failed -> AgentTransition.failed(state, key, failed.failure());
        };
    }

    private static AgentTransition later(Checkpointing state, Command command, int ahead) {
        return switch (state.progress()) {
            case Progress.Complete _ when ahead == 1 -> begin(state.host(), command);
            case Progress.Failed failed -> AgentTransition.failed(state, command.key(), failed.failure());
            case Progress.Complete _, Progress.Working _ ->
                AgentTransition.refused(state, command.key(), state.step() + " was the last step reached");
        };
    }

    private static AgentTransition begin(Host host, Command command) {
        CheckpointId id = command.key().requireCheckpoint();
        AgentTransition working = AgentTransition.to(
                new Checkpointing(host, id, command.step(), new Progress.Working()), new Perform(command));
        return command.step() == Step.QUIESCE ? working.after(List.of(new ArmWatchdog(id))) : working;
    }

    private static AgentTransition over(Hosting state, CommandKey key) {
        return AgentTransition.superseded(state, key, "checkpoint " + key.requireCheckpoint() + " is over here");
    }
}
