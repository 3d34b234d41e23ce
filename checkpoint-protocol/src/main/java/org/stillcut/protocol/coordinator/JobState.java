package org.stillcut.protocol.coordinator;

import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.protocol.Watch;

/**
 * Where one job stands, as its coordinator knows it. A value that means something in one state only is a field of that
 * state. The chart is in {@code docs/protocol.md}.
 */
public sealed interface JobState {
    Job job();

    JobPhase phase();

    /** The same state with another job context. */
    JobState withJob(Job changed);

    /** One line for a person on what the job is doing and why, without a full stop. */
    String describe();

    /**
     * A state in which a step was commanded and answers are awaited. What is awaited is a set of names: it is emptied
     * by answers and by nothing else. A participant that is lost makes the step fail, it is never left out. (The one
     * exception is {@link Step#DESTROY}, which asks for no agreement: what cannot be destroyed is fenced by its epoch.)
     */
    sealed interface Barrier extends JobState {
        Step step();

        Optional<CheckpointId> checkpoint();

        SortedSet<AgentId> awaited();

        Barrier withAwaited(SortedSet<AgentId> changed);

        @Override
        Barrier withJob(Job changed);
    }

    /** The first incarnation is being created ({@link Step#BOOT}), or {@code mpirun} started ({@link Step#START}). */
    record Starting(Job job, Step step, SortedSet<AgentId> awaited) implements Barrier {
        public Starting {
            require(step == Step.BOOT || step == Step.START, step);
            awaited = Ordered.set(awaited);
        }

        @Override
        public JobPhase phase() {
            return JobPhase.STARTING;
        }

        @Override
        public Optional<CheckpointId> checkpoint() {
            return Optional.empty();
        }

        @Override
        public Starting withAwaited(SortedSet<AgentId> changed) {
            return new Starting(job, step, changed);
        }

        @Override
        public Starting withJob(Job changed) {
            return new Starting(changed, step, awaited);
        }

        @Override
        public String describe() {
            return "starting: " + step + ", awaiting " + awaited;
        }
    }

    /** The job runs, and nothing else is going on. */
    record Running(Job job) implements JobState {
        @Override
        public JobPhase phase() {
            return JobPhase.RUNNING;
        }

        @Override
        public Running withJob(Job changed) {
            return new Running(changed);
        }

        @Override
        public String describe() {
            return "running, epoch " + job.epoch()
                    + job.committed().map(id -> ", newest checkpoint " + id).orElse(", no checkpoint yet");
        }
    }

    /**
     * A checkpoint is being taken. When nobody is awaited, the agents have done the step and the {@link Watch} that
     * follows it is on.
     *
     * @param snapshots what has been made durable so far; filled during {@link Step#PERSIST}
     * @param looks what those that have done the step showed of their VMs' traffic then
     */
    record Checkpointing(
            Job job,
            CheckpointId id,
            Step step,
            SortedSet<AgentId> awaited,
            SortedMap<VmId, SnapshotRef> snapshots,
            SortedMap<VmId, VmTraffic> looks)
            implements Barrier {
        public Checkpointing {
            require(Step.CHECKPOINT_ORDER.contains(step), step);
            awaited = Ordered.set(awaited);
            snapshots = Ordered.map(snapshots);
            looks = Ordered.map(looks);
        }

        @Override
        public JobPhase phase() {
            return JobPhase.CHECKPOINTING;
        }

        @Override
        public Optional<CheckpointId> checkpoint() {
            return Optional.of(id);
        }

        @Override
        public Checkpointing withAwaited(SortedSet<AgentId> changed) {
            return new Checkpointing(job, id, step, changed, snapshots, looks);
        }

        /** The agent has done the step: it is not awaited any more, and what came with its answer is kept. */
        Checkpointing without(Report.Done done) {
            SortedMap<VmId, SnapshotRef> allSnapshots = new TreeMap<>(snapshots);
            allSnapshots.putAll(done.snapshots());
            SortedMap<VmId, VmTraffic> allLooks = new TreeMap<>(looks);
            // An agent is a peer: it has nothing to say of the VMs of others.
            if (done.looks().keySet().equals(job.placement().vmsOf(done.agent()))) {
                allLooks.putAll(done.looks());
            }
            return new Checkpointing(job, id, step, Ordered.without(awaited, done.agent()), allSnapshots, allLooks);
        }

        @Override
        public Checkpointing withJob(Job changed) {
            return new Checkpointing(changed, id, step, awaited, snapshots, looks);
        }

        @Override
        public String describe() {
            return "checkpoint " + id + ": " + stage(this);
        }
    }

    /**
     * Every snapshot is durable and the commit record is being written. What happens to the job meanwhile waits for the
     * outcome: whether the checkpoint exists decides where a restart begins.
     */
    record Committing(Job job, CheckpointId id, SortedMap<VmId, SnapshotRef> snapshots, Sequel sequel)
            implements JobState {
        public Committing {
            snapshots = Ordered.map(snapshots);
        }

        @Override
        public JobPhase phase() {
            return JobPhase.COMMITTING;
        }

        @Override
        public Committing withJob(Job changed) {
            return new Committing(changed, id, snapshots, sequel);
        }

        Committing withSequel(Sequel changed) {
            return new Committing(job, id, snapshots, changed);
        }

        @Override
        public String describe() {
            return "checkpoint " + id + ": writing the commit record";
        }
    }

    /** A checkpoint failed and is being undone; the job goes on when every agent has done so. */
    record Aborting(Job job, CheckpointId id, CheckpointFailure failure, SortedSet<AgentId> awaited)
            implements Barrier {
        public Aborting {
            awaited = Ordered.set(awaited);
        }

        @Override
        public JobPhase phase() {
            return JobPhase.ABORTING;
        }

        @Override
        public Step step() {
            return Step.ABORT;
        }

        @Override
        public Optional<CheckpointId> checkpoint() {
            return Optional.of(id);
        }

        @Override
        public Aborting withAwaited(SortedSet<AgentId> changed) {
            return new Aborting(job, id, failure, changed);
        }

        @Override
        public Aborting withJob(Job changed) {
            return new Aborting(changed, id, failure, awaited);
        }

        @Override
        public String describe() {
            return "undoing checkpoint " + id + " because " + failure.describe();
        }
    }

    /** The incarnation cannot go on, and the shell was asked where to restart the job. */
    record Planning(Job job, CheckpointFailure reason) implements JobState {
        @Override
        public JobPhase phase() {
            return JobPhase.PLANNING;
        }

        @Override
        public Planning withJob(Job changed) {
            return new Planning(changed, reason);
        }

        @Override
        public String describe() {
            return "to be restarted because " + reason.describe();
        }
    }

    /**
     * A new incarnation is being made: the old ones are destroyed ({@link Step#DESTROY}), all VMs are loaded
     * ({@link Step#RESTORE}), all VMs go on ({@link Step#RUN}), all ranks go on ({@link Step#THAW}). When nobody is
     * awaited, the {@link Watch} that follows the step is on.
     */
    record Restarting(Job job, CheckpointId from, Step step, SortedSet<AgentId> awaited) implements Barrier {
        private static final Set<Step> STEPS = Set.of(Step.DESTROY, Step.RESTORE, Step.RUN, Step.THAW);

        public Restarting {
            require(STEPS.contains(step), step);
            awaited = Ordered.set(awaited);
        }

        @Override
        public JobPhase phase() {
            return JobPhase.RESTARTING;
        }

        @Override
        public Optional<CheckpointId> checkpoint() {
            return step == Step.DESTROY ? Optional.empty() : Optional.of(from);
        }

        @Override
        public Restarting withAwaited(SortedSet<AgentId> changed) {
            return new Restarting(job, from, step, changed);
        }

        @Override
        public Restarting withJob(Job changed) {
            return new Restarting(changed, from, step, awaited);
        }

        @Override
        public String describe() {
            return "restarting from " + from + " as epoch " + job.epoch() + ": " + stage(this);
        }
    }

    /** The job cannot be restarted by itself. Its VMs are being destroyed; a restart by hand is still possible. */
    record Lost(Job job, String reason) implements JobState {
        @Override
        public JobPhase phase() {
            return JobPhase.LOST;
        }

        @Override
        public Lost withJob(Job changed) {
            return new Lost(changed, reason);
        }

        @Override
        public String describe() {
            return "lost: " + reason;
        }
    }

    /** The job is over and its VMs are being destroyed. */
    record Ending(Job job, JobExit exit, SortedSet<AgentId> awaited) implements Barrier {
        public Ending {
            awaited = Ordered.set(awaited);
        }

        @Override
        public JobPhase phase() {
            return JobPhase.ENDING;
        }

        @Override
        public Step step() {
            return Step.DESTROY;
        }

        @Override
        public Optional<CheckpointId> checkpoint() {
            return Optional.empty();
        }

        @Override
        public Ending withAwaited(SortedSet<AgentId> changed) {
            return new Ending(job, exit, changed);
        }

        @Override
        public Ending withJob(Job changed) {
            return new Ending(changed, exit, awaited);
        }

        @Override
        public String describe() {
            return exit.describe() + "; destroying its VMs";
        }
    }

    /** The job is over. Its checkpoints remain, and a restart by hand is possible. */
    record Ended(Job job, JobExit exit) implements JobState {
        @Override
        public JobPhase phase() {
            return JobPhase.ENDED;
        }

        @Override
        public Ended withJob(Job changed) {
            return new Ended(changed, exit);
        }

        @Override
        public String describe() {
            return exit.describe();
        }
    }

    private static String stage(Barrier barrier) {
        return Barriers.watching(barrier)
                .map(Watch::toString)
                .orElseGet(() -> barrier.step() + ", awaiting " + barrier.awaited());
    }

    private static void require(boolean legal, Step step) {
        if (!legal) {
            throw new IllegalArgumentException(step + " is not a step of this state");
        }
    }
}
