package org.stillcut.protocol.agent;

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

    /** The step that sets the VMs going once they are created. */
    Step launchStep() {
        return origin.step() == Step.BOOT ? Step.START : Step.RUN;
    }

    CommandKey launchKey() {
        return new CommandKey(origin.incarnation(), launchStep(), origin.checkpoint());
    }

    /** Whether a command to set the VMs going is to come: {@code mpirun} is started in one VM only. */
    boolean awaitsLaunch() {
        return origin.step() == Step.RESTORE || vms.contains(VmId.LAUNCHER);
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
