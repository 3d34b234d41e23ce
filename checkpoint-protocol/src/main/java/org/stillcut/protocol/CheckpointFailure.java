package org.stillcut.protocol;

import java.util.SortedSet;
import java.util.stream.Collectors;

/**
 * Why a checkpoint was aborted, or why an incarnation of a job came to its end. Expected failures are data, so that
 * callers can tell them apart without reading text.
 */
public sealed interface CheckpointFailure {
    /** One line for a person, without a full stop. */
    String describe();

    /** The coordinator holds the agent for dead: no session for longer than its grace time, or without its VMs. */
    record AgentLost(AgentId agent) implements CheckpointFailure {
        @Override
        public String describe() {
            return "node " + agent + " was lost";
        }
    }

    /** A VM died while its agent lives. */
    record VmLost(AgentId agent, VmId vm, String reason) implements CheckpointFailure {
        @Override
        public String describe() {
            return vm + " on node " + agent + " was lost: " + reason;
        }
    }

    /** Some agents did not answer a step in time. */
    record DeadlinePassed(Step step, SortedSet<AgentId> missing) implements CheckpointFailure {
        public DeadlinePassed {
            missing = Ordered.set(missing);
        }

        @Override
        public String describe() {
            return "no answer to " + step + " in time from "
                    + missing.stream().map(AgentId::value).collect(Collectors.joining(", "));
        }
    }

    /** An agent tried a step and could not do it, or was asked for it out of order. */
    record StepFailed(AgentId agent, Step step, String reason) implements CheckpointFailure {
        @Override
        public String describe() {
            return step + " failed on node " + agent + ": " + reason;
        }
    }

    /** The store cannot take the snapshot. */
    record StoreFull(AgentId agent, String reason) implements CheckpointFailure {
        @Override
        public String describe() {
            return "the store is full for node " + agent + ": " + reason;
        }
    }

    /** What the store has of a snapshot is damaged or not all there; no other node will read it better. */
    record SnapshotDamaged(AgentId agent, String reason) implements CheckpointFailure {
        @Override
        public String describe() {
            return "a snapshot is damaged, says node " + agent + ": " + reason;
        }
    }

    /** The command came too late: its incarnation or checkpoint is over, as far as this agent knows. */
    record Superseded(AgentId agent, String reason) implements CheckpointFailure {
        @Override
        public String describe() {
            return "node " + agent + " refused what is over: " + reason;
        }
    }

    /** The job's traffic did not show what it must. */
    record TrafficRefused(Watch watch, String reason) implements CheckpointFailure {
        @Override
        public String describe() {
            return switch (watch) {
                case DRAIN -> "the traffic cannot be brought to rest: " + reason;
                case VERIFY, SEAL -> "the traffic is not at rest: " + reason;
                case COMPARE -> "what was restored is not what was sealed: " + reason;
                case PROGRESS -> "the restarted job does not go on: " + reason;
            };
        }
    }

    /** The coordinator died in the middle, and nothing shows that the checkpoint was committed. */
    record CoordinatorRestarted() implements CheckpointFailure {
        @Override
        public String describe() {
            return "the coordinator was restarted";
        }
    }

    /** The job ended or was cancelled first. */
    record JobEnded() implements CheckpointFailure {
        @Override
        public String describe() {
            return "the job ended first";
        }
    }

    /** The commit record could not be written, and certainly does not exist. */
    record CommitFailed(String reason) implements CheckpointFailure {
        @Override
        public String describe() {
            return "the commit record could not be written: " + reason;
        }
    }
}
