package org.stillcut.protocol.coordinator;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.protocol.coordinator.JobState.Barrier;

/** A job on two nodes, with the launcher on {@link #A}, led by hand from event to event. */
final class JobScript {
    static final JobId JOB = new JobId("solver");
    static final AgentId A = new AgentId("a");
    static final AgentId B = new AgentId("b");
    static final AgentId C = new AgentId("c");
    static final Placement ON_A_AND_B = placement(A, B);
    static final int RESTART_LIMIT = 2;

    private final List<JobRecord> log = new ArrayList<>();
    private Optional<CheckpointId> repository = Optional.empty();
    private Transition last;

    private JobScript(Transition first) {
        last = first;
        log.addAll(first.persistFirst());
    }

    static JobScript created() {
        return new JobScript(CoordinatorProtocol.create(JOB, ON_A_AND_B, RESTART_LIMIT));
    }

    static JobScript running() {
        JobScript script = created();
        script.doneByAll();
        script.doneByAll();
        return script;
    }

    /** A checkpoint is at the step, which nobody has answered. */
    static JobScript checkpointingAt(Step step) {
        JobScript script = running();
        script.on(new JobEvent.CheckpointRequested());
        script.leadTo(step);
        return script;
    }

    static JobScript committing() {
        JobScript script = checkpointingAt(Step.PERSIST);
        script.doneByAll();
        return script;
    }

    /** The job runs and has one checkpoint. */
    static JobScript withCheckpoint() {
        JobScript script = committing();
        script.commit();
        return script;
    }

    /** Node B was lost, and the job is being restarted on A and C. */
    static JobScript restarting() {
        JobScript script = withCheckpoint();
        script.on(new JobEvent.AgentLost(B));
        script.on(new JobEvent.RestartPlanned(checkpoint(1), placement(A, C)));
        return script;
    }

    /** Answers for all until the barrier of this step is open. */
    void leadTo(Step step) {
        while (barrier().step() != step) {
            doneByAll();
        }
    }

    Transition on(JobEvent event) {
        last = CoordinatorProtocol.step(last.next(), event);
        log.addAll(last.persistFirst());
        return last;
    }

    /** All answer the step, and the watch that may follow it ends well. */
    void doneByAll() {
        for (AgentId agent : barrier().awaited()) {
            done(agent);
        }
        if (state() instanceof Barrier barrier && Barriers.watching(barrier).isPresent()) {
            watched(Optional.empty());
        }
    }

    /** The watch that is on ends. */
    Transition watched(Optional<String> refusal) {
        return on(new JobEvent.Watched(state().job().deadlineToken(), refusal));
    }

    /** The agent answers the step that is awaited; in a barrier that destroys, the job's previous incarnation. */
    Transition done(AgentId agent) {
        return done(agent, new TreeMap<>());
    }

    /** As {@link #done(AgentId)}, and shows what its VMs look like. */
    Transition done(AgentId agent, SortedMap<VmId, VmTraffic> looks) {
        Barrier barrier = barrier();
        SortedMap<VmId, SnapshotRef> snapshots = new TreeMap<>();
        if (barrier.step() == Step.PERSIST) {
            barrier.job().placement().vmsOf(agent).forEach(vm -> snapshots.put(vm, new SnapshotRef("of-" + vm)));
        }
        Transition answered = last;
        for (CommandKey key : keys(agent)) {
            answered = on(new JobEvent.Reported(new Report.Done(agent, key, snapshots, looks)));
        }
        return answered;
    }

    Transition failed(AgentId agent, String reason) {
        CommandKey key = keys(agent).getFirst();
        CheckpointFailure failure = new CheckpointFailure.StepFailed(agent, key.step(), reason);
        return on(new JobEvent.Reported(new Report.Failed(agent, key, failure)));
    }

    private List<CommandKey> keys(AgentId agent) {
        Barrier barrier = barrier();
        return barrier.step() == Step.DESTROY
                ? barrier.job().fence().leftoversAt(agent).stream()
                        .map(incarnation -> CommandKey.of(incarnation, Step.DESTROY))
                        .toList()
                : List.of(new CommandKey(barrier.job().incarnation(), barrier.step(), barrier.checkpoint()));
    }

    Transition deadline() {
        return on(new JobEvent.DeadlinePassed(state().job().deadlineToken()));
    }

    Transition commit() {
        CheckpointId id = checkpoint(state().job().lastSequence());
        repository = Optional.of(id);
        return on(new JobEvent.CommitDurable(id));
    }

    Transition connected(AgentId agent, long... epochs) {
        SortedSet<Incarnation> held = new TreeSet<>();
        for (long epoch : epochs) {
            held.add(new Incarnation(JOB, epoch));
        }
        return on(new JobEvent.AgentConnected(agent, held));
    }

    /** The coordinator dies, with all records and what the repository has, and comes back. */
    Transition crash() {
        last = new Transition(CoordinatorProtocol.recover(log, repository), List.of(), List.of());
        return on(new JobEvent.Recovered());
    }

    /** As {@link #crash()}, after the commit record became durable and before anybody knew. */
    Transition crashWithCommit() {
        repository = Optional.of(checkpoint(state().job().lastSequence()));
        return crash();
    }

    JobState state() {
        return last.next();
    }

    JobPhase phase() {
        return state().phase();
    }

    Barrier barrier() {
        return (Barrier) state();
    }

    List<JobRecord> log() {
        return log;
    }

    /** The commands of the last transition, as agent to step. */
    static List<Map.Entry<AgentId, Step>> sent(Transition transition) {
        return transition.effects().stream()
                .filter(JobEffect.Send.class::isInstance)
                .map(effect -> (JobEffect.Send) effect)
                .map(send -> Map.entry(send.agent(), send.command().step()))
                .toList();
    }

    static List<Command> commands(Transition transition) {
        return transition.effects().stream()
                .filter(JobEffect.Send.class::isInstance)
                .map(effect -> ((JobEffect.Send) effect).command())
                .toList();
    }

    static CheckpointId checkpoint(long sequence) {
        return new CheckpointId(JOB, sequence);
    }

    static Incarnation epoch(long epoch) {
        return new Incarnation(JOB, epoch);
    }

    /** Two VMs on the first agent, one on the second. */
    static Placement placement(AgentId first, AgentId second) {
        SortedMap<AgentId, SortedSet<VmId>> vms = new TreeMap<>();
        vms.put(first, new TreeSet<>(List.of(new VmId(0), new VmId(1))));
        vms.put(second, new TreeSet<>(List.of(new VmId(2))));
        return new Placement(vms);
    }
}
