package org.stillcut.protocol.agent;

import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;

/**
 * What an agent holds of a job, in every state but {@link AgentState.Vacant}.
 *
 * @param origin the command that created the VMs: a {@link Step#BOOT} or a {@link Step#RESTORE}
 * @param fate how the newest checkpoint of this incarnation ended here, if there was one
 */
public record Host(AgentId agent, CommandKey origin, SortedSet<VmId> vms, Optional<Fate> fate) {
    public Host {
        if (origin.step() != Step.BOOT && origin.step() != Step.RESTORE) {
            throw new IllegalArgumentException("VMs are not created by " + origin);
        }
        vms = Ordered.set(vms);
    }

    Host with(Fate newest) {
        return new Host(agent, origin, vms, Optional.of(newest));
    }

    /** The steps that set the VMs going once they are created, in order; {@code mpirun} is started in one VM only. */
    List<Step> launchSteps() {
        if (origin.step() == Step.RESTORE) {
            return List.of(Step.RUN, Step.THAW);
        }
        return vms.contains(VmId.LAUNCHER) ? List.of(Step.START) : List.of();
    }

    CommandKey launchKey(Step step) {
        return new CommandKey(origin.incarnation(), step, origin.checkpoint());
    }

    CommandKey key(Step step, CheckpointId checkpoint) {
        return CommandKey.of(origin.incarnation(), step, checkpoint);
    }

    Command command(Step step, CheckpointId checkpoint) {
        return Command.of(key(step, checkpoint), vms);
    }

    boolean isOver(CheckpointId checkpoint) {
        return fate.map(newest -> !newest.id().isOlderThan(checkpoint)).orElse(false);
    }
}
