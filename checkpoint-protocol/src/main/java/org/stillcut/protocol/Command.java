package org.stillcut.protocol;

import java.util.Optional;
import java.util.SortedSet;

/**
 * One command from a coordinator to an agent: do this step with these VMs. {@link Step#DESTROY} names no VM, as it takes
 * whatever the agent holds of the incarnation; every other step names all VMs that the agent holds.
 */
public record Command(Incarnation incarnation, Step step, Optional<CheckpointId> checkpoint, SortedSet<VmId> vms) {
    public Command {
        CommandKey valid = new CommandKey(incarnation, step, checkpoint);
        if ((step == Step.DESTROY) != vms.isEmpty()) {
            throw new IllegalArgumentException(valid + " with VMs " + vms);
        }
        vms = Ordered.set(vms);
    }

    public static Command of(CommandKey key, SortedSet<VmId> vms) {
        return new Command(key.incarnation(), key.step(), key.checkpoint(), vms);
    }

    public static Command destroy(Incarnation incarnation) {
        return new Command(incarnation, Step.DESTROY, Optional.empty(), Ordered.none());
    }

    public CommandKey key() {
        return new CommandKey(incarnation, step, checkpoint);
    }

    @Override
    public String toString() {
        return key() + " " + vms;
    }
}
