package org.stillcut.protocol.agent;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.agent.AgentEffect.Answer;
import org.stillcut.protocol.agent.AgentState.Progress;

/**
 * The answer of the agent's state machine to an event: where it stands now, and what to do, in order. There is nothing to
 * persist: what an agent must know after a crash is what VMs it has, and a crash leaves it none.
 */
public record AgentTransition(AgentState next, List<AgentEffect> effects) {
    public AgentTransition {
        effects = List.copyOf(effects);
    }

    static AgentTransition to(AgentState next, AgentEffect... effects) {
        return new AgentTransition(next, List.of(effects));
    }

    /** What has to be done before the effects of this transition. */
    AgentTransition after(List<? extends AgentEffect> earlier) {
        List<AgentEffect> all = new ArrayList<>(earlier);
        all.addAll(effects);
        return new AgentTransition(next, all);
    }

    AgentTransition then(AgentEffect effect) {
        List<AgentEffect> all = new ArrayList<>(effects);
        all.add(effect);
        return new AgentTransition(next, all);
    }

    static AgentTransition done(AgentState next, CommandKey key) {
        return to(next, new Answer(new Report.Done(next.agent(), key)));
    }

    static AgentTransition done(AgentState next, CommandKey key, SortedMap<VmId, SnapshotRef> snapshots) {
        return to(next, new Answer(new Report.Done(next.agent(), key, snapshots)));
    }

    static AgentTransition done(AgentState next, CommandKey key, Progress.Complete complete) {
        return to(next, new Answer(new Report.Done(next.agent(), key, new TreeMap<>(), complete.looks())));
    }

    static AgentTransition failed(AgentState next, CommandKey key, CheckpointFailure failure) {
        return to(next, new Answer(new Report.Failed(next.agent(), key, failure)));
    }

    /** The command is over and done with, as far as this agent knows. */
    static AgentTransition superseded(AgentState next, CommandKey key, String reason) {
        return failed(next, key, new CheckpointFailure.Superseded(next.agent(), reason));
    }

    /** The command is out of order. */
    static AgentTransition refused(AgentState next, CommandKey key, String reason) {
        return failed(next, key, new CheckpointFailure.StepFailed(next.agent(), key.step(), reason));
    }
}
