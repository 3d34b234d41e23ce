package org.stillcut.protocol.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.Watch;
import org.stillcut.protocol.coordinator.CoordinatorProtocol;
import org.stillcut.protocol.coordinator.JobEffect;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.JobPhase;
import org.stillcut.protocol.coordinator.JobRecord;
import org.stillcut.protocol.coordinator.JobState;
import org.stillcut.protocol.coordinator.Transition;
import org.stillcut.protocol.traffic.Round;

/**
 * The coordinator's shell in the simulation. It may die before its records are durable, with some of them durable, and
 * between any two effects.
 */
final class SimulatedCoordinator {
    private static final long DEADLINE_MILLIS = 500;
    private static final long GRACE_MILLIS = 600;
    private static final int WATCH_MILLIS = 40;
    private static final int LONG_WATCH_MILLIS = 600;

    private record PendingCommit(Incarnation incarnation, CheckpointId id, SortedMap<VmId, SnapshotRef> refs) {}

    private final Simulation simulation;
    private final SortedMap<JobId, List<JobRecord>> logs = new TreeMap<>();
    private final SortedMap<JobId, JobState> states = new TreeMap<>();
    private final SortedMap<JobId, SortedSet<Long>> deadlines = new TreeMap<>();
    private final SortedMap<CheckpointId, PendingCommit> pendingCommits = new TreeMap<>();
    private final Settlements settlements;
    private boolean alive = true;
    private long life;

    SimulatedCoordinator(Simulation simulation) {
        this.simulation = simulation;
        this.settlements = new Settlements(simulation.repository());
    }

    boolean isAlive() {
        return alive;
    }

    Optional<JobState> state(JobId job) {
        return Optional.ofNullable(states.get(job));
    }

    void create(JobId job, Placement placement, int restartLimit) {
        logs.put(job, new ArrayList<>());
        Transition transition = CoordinatorProtocol.create(job, placement, restartLimit);
        carryOut(job, transition);
    }

    void feed(JobId job, JobEvent event) {
        JobState before = states.get(job);
        if (!alive || before == null) {
            return;
        }
        Transition transition = simulation.cores().coordinator(before, event);
        simulation.trace(() -> "coordinator " + before.phase() + " <- " + event + " => "
                + transition.next().describe() + " " + transition.persistFirst());
        simulation.coverage().coordinator(before, event, transition);
        Expectations.check(before, event, transition, deadlines.getOrDefault(job, new TreeSet<>()));
        carryOut(job, transition);
    }

    private void carryOut(JobId job, Transition transition) {
        for (JobRecord record : transition.persistFirst()) {
            if (simulation.chance().crashPoint()) {
                crash();
                return;
            }
            persist(job, record);
        }
        states.put(job, transition.next());
        for (JobEffect effect : transition.effects()) {
            if (simulation.chance().crashPoint()) {
                crash();
                return;
            }
            carryOut(job, effect);
        }
    }

    private void persist(JobId job, JobRecord record) {
        logs.computeIfAbsent(job, _ -> new ArrayList<>()).add(record);
        if (record instanceof JobRecord.JobCreated created) {
            simulation.world().decided(new Incarnation(job, Incarnation.FIRST_EPOCH), created.placement());
        }
        if (record instanceof JobRecord.RestartDecided decided) {
            simulation.world().decided(new Incarnation(job, decided.epoch()), decided.placement());
        }
    }

    private void carryOut(JobId job, JobEffect effect) {
        switch (effect) {
            case JobEffect.Send(AgentId agent, Command command) -> send(agent, command);
            case JobEffect.SetDeadline(long token, Step _) -> setDeadline(job, token);
            case JobEffect.CancelDeadline(long token) ->
                deadlines.getOrDefault(job, new TreeSet<>()).remove(token);
            case JobEffect.WatchTraffic(long token, Watch watch, CheckpointId checkpoint, Optional<Round> _) ->
                watch(job, token, watch, checkpoint);
            case JobEffect.WriteCommit(CheckpointId id, SortedMap<VmId, SnapshotRef> refs) -> writeCommit(id, refs);
            case JobEffect.PlanRestart plan -> later(simulation.chance().between(5, 60), () -> plan(plan));
            case JobEffect.CheckpointStarted(CheckpointId id) -> settlements.started(id);
            case JobEffect.CheckpointSettled(CheckpointId id, JobEffect.Outcome outcome) ->
                settlements.settled(id, outcome);
            case JobEffect.CheckpointRefused _, JobEffect.JobChanged _ -> {}
        }
    }

    /** Invariant 4 on the coordinator's side: what is on record as over is only ever destroyed. */
    private void send(AgentId agent, Command command) {
        long newest = logs.getOrDefault(command.incarnation().job(), List.of()).stream()
                .mapToLong(record -> record instanceof JobRecord.RestartDecided decided ? decided.epoch() : 1)
                .max()
                .orElse(0);
        Violation.unless(
                command.step() == Step.DESTROY || command.incarnation().epoch() == newest,
                "{} sent when epoch {} was on record",
                command,
                newest);
        simulation.network().toAgent(agent, command);
    }

    /** A deadline that was cancelled passes all the same in half of the cases: its timer may have gone off before. */
    private void setDeadline(JobId job, long token) {
        deadlines.computeIfAbsent(job, _ -> new TreeSet<>()).add(token);
        boolean late = simulation.chance().oneIn(2);
        later(DEADLINE_MILLIS, () -> {
            if (late || deadlines.getOrDefault(job, new TreeSet<>()).contains(token)) {
                feed(job, new JobEvent.DeadlinePassed(token));
            }
        });
    }

    /**
     * What the counters say is looked at when the watch ends. A watch that was cancelled ends all the same in half of the
     * cases: it may have ended before.
     */
    private void watch(JobId job, long token, Watch watch, CheckpointId checkpoint) {
        JobState state = states.get(job);
        if (state == null) {
            return;
        }
        deadlines.computeIfAbsent(job, _ -> new TreeSet<>()).add(token);
        Incarnation incarnation = state.job().incarnation();
        boolean late = simulation.chance().oneIn(2);
        boolean refused = simulation.chance().refusedTraffic();
        int millis = simulation.chance().between(1, simulation.chance().oneIn(6) ? LONG_WATCH_MILLIS : WATCH_MILLIS);
        later(millis, () -> {
            if (late || deadlines.getOrDefault(job, new TreeSet<>()).contains(token)) {
                Optional<String> refusal = refused
                        ? Optional.of("bytes on the wire")
                        : simulation.world().traffic(incarnation, checkpoint, watch);
                feed(job, new JobEvent.Watched(token, refusal));
            }
        });
    }

    private void writeCommit(CheckpointId id, SortedMap<VmId, SnapshotRef> refs) {
        JobState state = states.get(id.job());
        if (state == null) {
            return;
        }
        pendingCommits.put(id, new PendingCommit(state.job().incarnation(), id, refs));
        boolean rejected = simulation.chance().rejectedCommit();
        later(simulation.chance().between(1, 40), () -> {
            if (rejected) {
                pendingCommits.remove(id);
                feed(id.job(), new JobEvent.CommitRejected(id, "no room"));
            } else {
                makeDurable(id);
                later(simulation.chance().between(0, 20), () -> feed(id.job(), new JobEvent.CommitDurable(id)));
            }
        });
    }

    private void makeDurable(CheckpointId id) {
        PendingCommit commit = pendingCommits.remove(id);
        if (commit != null) {
            settlements.committing(id);
            simulation.trace(() -> id + " is durable");
            simulation.world().commit(commit.incarnation(), id, commit.refs());
        }
    }

    private void plan(JobEffect.PlanRestart plan) {
        JobId job = plan.job().id();
        feed(
                job,
                simulation
                        .planner()
                        .plan(job, plan.job().budget().distrusted(), plan.lost(), plan.doubtful())
                        .<JobEvent>map(planned -> planned)
                        .orElseGet(() -> new JobEvent.RestartImpossible("nothing to restart from or on")));
    }

    void connected(AgentId agent, SortedMap<JobId, SortedSet<Incarnation>> held) {
        held.forEach((job, incarnations) -> feed(job, new JobEvent.AgentConnected(agent, incarnations)));
    }

    void sessionBroken(AgentId agent) {
        later(GRACE_MILLIS, () -> {
            if (!simulation.network().isOpen(agent)) {
                simulation.jobs().forEach(job -> feed(job, new JobEvent.AgentLost(agent)));
            }
        });
    }

    /** A commit record on its way may or may not have arrived. */
    void crash() {
        if (!alive) {
            return;
        }
        simulation.trace(() -> "coordinator crashes");
        alive = false;
        life++;
        new ArrayList<>(pendingCommits.keySet()).forEach(id -> {
            if (simulation.chance().oneIn(2)) {
                makeDurable(id);
            }
        });
        pendingCommits.clear();
        states.clear();
        deadlines.clear();
        settlements.coordinatorDied();
        simulation.network().cutAll();
        simulation.agenda().in(simulation.chance().between(20, 1_500), this::start);
    }

    private void start() {
        simulation.trace(() -> "coordinator is back");
        alive = true;
        logs.forEach((job, records) -> {
            if (!records.isEmpty()) {
                states.put(
                        job,
                        simulation
                                .cores()
                                .recover(records, simulation.repository().newest(job)));
            }
        });
        simulation.agents().forEach(this::sessionBroken);
        logs.keySet().forEach(job -> feed(job, new JobEvent.Recovered()));
    }

    /** Invariant 6 for all jobs. */
    void checkAtEnd() {
        Violation.unless(alive, "the coordinator is dead at the end");
        settlements.checkAtEnd();
        logs.forEach((job, records) -> {
            JobState state = states.get(job);
            if (state == null) {
                Violation.unless(records.isEmpty(), "{} was forgotten", job);
                simulation.world().checkAtEnd(job, Optional.empty());
                return;
            }
            boolean settled = state.phase() == JobPhase.RUNNING
                    || state.phase() == JobPhase.ENDED
                    || state.phase() == JobPhase.LOST;
            Violation.unless(settled, "at the end {} is {}", job, state.describe());
            simulation
                    .world()
                    .checkAtEnd(
                            job,
                            state.phase() == JobPhase.RUNNING
                                    ? Optional.of(state.job().incarnation())
                                    : Optional.empty());
            Settlements.checkRecords(records, simulation.repository());
        });
    }

    private void later(long millis, Runnable action) {
        long mine = life;
        simulation.agenda().in(millis, () -> {
            if (alive && life == mine) {
                action.run();
            }
        });
    }
}
