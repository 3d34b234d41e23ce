package org.stillcut.protocol.agent;

import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Report;

/** What the agent's shell is to do, in order. */
public sealed interface AgentEffect {
    /**
     * Begin the work of the step on all VMs named, and feed {@code WorkDone} or {@code WorkFailed} when it is over. One
     * work of a job is under way at a time. {@code ABORT} and {@code DESTROY} can follow any state of any other work,
     * and so must do whatever is needed from there. {@code DESTROY} is performed again whenever it has failed; the shell
     * grows the pause between two tries.
     */
    record Perform(Command command) implements AgentEffect {}

    /**
     * Stop this work as soon as possible. The work performed next waits until it has stopped: two never touch a VM at
     * the same time.
     */
    record Interrupt(CommandKey key) implements AgentEffect {}

    /** Send the answer in the present session; without one it is dropped, and the coordinator asks again. */
    record Answer(Report report) implements AgentEffect {}

    /** From now on the job may stand still: feed {@code CoordinatorSilent} when that has lasted for too long. */
    record ArmWatchdog(CheckpointId checkpoint) implements AgentEffect {}

    /** The job goes on, or is about to. */
    record DisarmWatchdog(CheckpointId checkpoint) implements AgentEffect {}
}
