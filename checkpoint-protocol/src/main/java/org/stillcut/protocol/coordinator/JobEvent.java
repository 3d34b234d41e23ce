package org.stillcut.protocol.coordinator;

import java.util.Optional;
import java.util.SortedSet;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.VmId;

/** What happens to a job. The shell feeds one at a time, and none before the effects of the last were carried out. */
public sealed interface JobEvent {
    /** Somebody wants a checkpoint: answered by {@code CheckpointStarted} or {@code CheckpointRefused}. */
    record CheckpointRequested() implements JobEvent {}

    /** An agent answered a command. */
    record Reported(Report report) implements JobEvent {}

    /** The time of a deadline is over. A token other than the last one set is ignored. */
    record DeadlinePassed(long token) implements JobEvent {}

    /**
     * A watch has ended. One with another token than the last one begun is ignored.
     *
     * @param refusal what was seen that must not be; empty: all is well
     */
    record Watched(long token, Optional<String> refusal) implements JobEvent {}

    /**
     * An agent has had no session for longer than its grace time. The grace time also runs after
     * {@link Recovered}, for every agent of the job's placement that has not connected yet.
     */
    record AgentLost(AgentId agent) implements JobEvent {}

    /**
     * An agent opened a session: the first, or one after a break. What was sent in an earlier session and not answered
     * may be lost, and is sent again if it still matters.
     *
     * @param held the incarnations of this job of which the agent has VMs, or remains of VMs
     */
    record AgentConnected(AgentId agent, SortedSet<Incarnation> held) implements JobEvent {
        public AgentConnected {
            held = Ordered.set(held);
        }
    }

    /** A VM died while its agent lives. An agent says so again in every session until the incarnation is destroyed. */
    record VmLost(AgentId agent, Incarnation incarnation, VmId vm, String reason) implements JobEvent {}

    /**
     * {@code mpirun} ended, and what it left behind was brought to the user. An agent says so again in every session
     * until the incarnation is destroyed.
     */
    record JobExited(Incarnation incarnation, int exitStatus) implements JobEvent {}

    /** The commit record is durable: the checkpoint exists. */
    record CommitDurable(CheckpointId id) implements JobEvent {}

    /**
     * The commit record does not exist and will not come to exist. A shell that cannot be sure of that reads the record
     * back, or removes it durably, before it says so.
     */
    record CommitRejected(CheckpointId id, String reason) implements JobEvent {}

    /**
     * Restart the job like this: the answer to {@code PlanRestart}, or a person's wish for a job that is lost or ended.
     * The placement has the job's VMs, all of them and no other.
     */
    record RestartPlanned(CheckpointId from, Placement placement) implements JobEvent {}

    /** There is no checkpoint to restart from, or no place to restart on. */
    record RestartImpossible(String reason) implements JobEvent {}

    /** The job is not wanted any more. */
    record StopRequested(String reason) implements JobEvent {}

    /**
     * The first event after {@link CoordinatorProtocol#recover}: the decision last recorded is driven again.
     */
    record Recovered() implements JobEvent {}
}
