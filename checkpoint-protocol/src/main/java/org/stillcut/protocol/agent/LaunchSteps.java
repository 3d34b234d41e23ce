package org.stillcut.protocol.agent;

import java.util.List;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Step;
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

/**
 * The steps that make VMs exist and set them going. Each is done once in the life of an incarnation; a repeat, also one
 * long after, is told so.
 */
final class LaunchSteps {
    private LaunchSteps() {}

    static AgentTransition on(Hosting state, Command command) {
        CommandKey key = command.key();
        if (key.equals(state.host().origin())) {
            return creation(state, key);
        }
        if (state.host().launchSteps().contains(key.step())
                && key.equals(state.host().launchKey(key.step()))) {
            return launch(state, command);
        }
        return AgentTransition.refused(
                state, key, "its VMs come from " + state.host().origin());
    }

    private static AgentTransition creation(Hosting state, CommandKey key) {
        return switch (state) {
            case Creating creating -> AgentTransition.to(creating);
            case Created _, Launching _, Active _, Checkpointing _, Undoing _ -> AgentTransition.done(state, key);
            case Broken broken -> AgentTransition.failed(broken, key, broken.failure());
            case Destroying _ -> destroying(state, key);
        };
    }

    private static AgentTransition launch(Hosting state, Command command) {
        CommandKey key = command.key();
        return switch (state) {
            case Creating _ -> AgentTransition.refused(state, key, "its VMs are not created yet");
            case Created created
            when created.next() == key.step() ->
                AgentTransition.to(new Launching(created.host(), key.step()), new Perform(command));
            case Created created -> notNext(created, key, created.next());
            case Launching launching when launching.step() == key.step() -> AgentTransition.to(launching);
            case Launching launching -> notNext(launching, key, launching.step());
            case Active _, Checkpointing _, Undoing _ -> AgentTransition.done(state, key);
            case Broken broken -> AgentTransition.failed(broken, key, broken.failure());
            case Destroying _ -> destroying(state, key);
        };
    }

    private static AgentTransition notNext(Hosting state, CommandKey key, Step present) {
        List<Step> steps = state.host().launchSteps();
        return steps.indexOf(key.step()) < steps.indexOf(present)
                ? AgentTransition.done(state, key)
                : AgentTransition.refused(state, key, present + " comes first");
    }

    static AgentTransition destroying(Hosting state, CommandKey key) {
        return AgentTransition.superseded(state, key, state.incarnation() + " is being destroyed");
    }
}
