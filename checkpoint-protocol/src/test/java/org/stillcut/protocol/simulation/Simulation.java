package org.stillcut.protocol.simulation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.JobPhase;

/**
 * One run: some agents, one or two jobs, faults for a while, then peace. Everything follows from the seed. The same
 * seed makes the same run, with or without a trace.
 */
final class Simulation {
    private static final int FAULTS_END_MILLIS = 3_000;
    private static final int OPERATOR_MILLIS = 9_000;
    private static final int END_MILLIS = 16_000;
    private static final int MAX_FAULTS = 5;
    private static final int MOST_RESTARTS = 3;
    private static final int TRACE_LINES = 120;

    private enum Fault {
        BREAK,
        PARTITION,
        AGENT_CRASH,
        COORDINATOR_CRASH,
        VM_LOST,
        JOB_EXIT,
        STOP
    }

    private final Agenda agenda = new Agenda();
    private final Chance chance;
    private final Cores cores;
    private final Coverage coverage = new Coverage();
    private final Repository repository = new Repository();
    private final World world = new World(agenda, repository);
    private final SortedMap<AgentId, SimulatedAgent> agents = new TreeMap<>();
    private final SortedMap<JobId, Integer> vmCounts = new TreeMap<>();
    private final Planner planner = new Planner(this);
    private final SimulatedCoordinator coordinator;
    private final Network network;
    private final Deque<String> trace = new ArrayDeque<>();
    private final boolean traced;

    Simulation(long seed, Cores cores, boolean traced) {
        this.chance = new Chance(seed);
        this.cores = cores;
        this.traced = traced;
        int agentCount = chance.between(2, 5);
        for (int index = 0; index < agentCount; index++) {
            AgentId id = new AgentId("node" + index);
            agents.put(id, new SimulatedAgent(id, this));
        }
        coordinator = new SimulatedCoordinator(this);
        network = new Network(this, agents());
    }

    /** Runs to the end, or to the first invariant that does not hold. */
    void run() {
        int jobCount = chance.oneIn(4) ? 2 : 1;
        for (int index = 0; index < jobCount; index++) {
            JobId job = new JobId("job" + index);
            vmCounts.put(job, chance.between(2, 5));
            agenda.in(chance.between(0, 100), () -> create(job));
        }
        int faults = chance.between(0, MAX_FAULTS);
        for (int index = 0; index < faults; index++) {
            agenda.in(chance.between(1, FAULTS_END_MILLIS), this::fault);
        }
        agenda.runUntil(FAULTS_END_MILLIS);
        chance.endFaults();
        agents.values().forEach(SimulatedAgent::start);
        agenda.in(OPERATOR_MILLIS - FAULTS_END_MILLIS, () -> vmCounts.keySet().forEach(this::restartByHand));
        agenda.runUntil(END_MILLIS);
        coordinator.checkAtEnd();
    }

    private void create(JobId job) {
        if (!coordinator.isAlive()) {
            return;
        }
        // Often few, so that jobs also come to the end of them.
        int restarts = chance.between(0, MOST_RESTARTS);
        coordinator.create(job, planner.place(List.copyOf(agents.keySet()), vmCount(job)), restarts);
        requestCheckpoints(job);
    }

    /** Requests come at random, also when they are of no use; the last ones after the faults are over. */
    private void requestCheckpoints(JobId job) {
        agenda.in(chance.between(50, 500), () -> {
            coordinator.feed(job, new JobEvent.CheckpointRequested());
            if (agenda.nowMillis() < FAULTS_END_MILLIS) {
                requestCheckpoints(job);
            }
        });
    }

    private void fault() {
        AgentId agent = chance.oneOf(List.copyOf(agents.keySet()));
        JobId job = chance.oneOf(List.copyOf(vmCounts.keySet()));
        Fault fault = chance.oneOf(List.of(Fault.values()));
        trace(() -> fault + " " + agent + " " + job);
        switch (fault) {
            case BREAK -> network.cutFor(agent, chance.between(1, 300));
            case PARTITION -> network.cutFor(agent, chance.between(800, 2_500));
            case AGENT_CRASH -> crash(agent);
            case COORDINATOR_CRASH -> coordinator.crash();
            case VM_LOST -> loseVm(agent);
            case JOB_EXIT -> exit(job);
            case STOP -> stop(job);
        }
    }

    private void crash(AgentId agent) {
        agent(agent).crash();
        agenda.in(chance.between(100, 2_500), agent(agent)::start);
    }

    private void loseVm(AgentId agent) {
        List<World.Instance> instances = world.instancesAt(agent);
        if (!instances.isEmpty()) {
            agent(agent).lose(chance.oneOf(instances));
        }
    }

    private void exit(JobId job) {
        int status = chance.oneIn(3) ? 1 : 0;
        coordinator
                .state(job)
                .ifPresent(state -> agent(state.job().placement().launcher())
                        .exit(state.job().incarnation(), status));
    }

    /** Users do this seldom. */
    private void stop(JobId job) {
        if (chance.oneIn(2)) {
            coordinator.feed(job, new JobEvent.StopRequested("not wanted any more"));
        }
    }

    private void restartByHand(JobId job) {
        Optional<JobPhase> phase = coordinator.state(job).map(state -> state.phase());
        boolean over = phase.filter(now -> now == JobPhase.LOST || now == JobPhase.ENDED)
                .isPresent();
        if (over && chance.oneIn(2)) {
            SortedSet<AgentId> none = new TreeSet<>();
            planner.plan(job, Ordered.none(), none, none).ifPresent(plan -> coordinator.feed(job, plan));
        }
    }

    void trace(Supplier<String> line) {
        if (traced) {
            trace.add("%6d ms  %s".formatted(agenda.nowMillis(), line.get()));
            if (trace.size() > TRACE_LINES) {
                trace.remove();
            }
        }
    }

    /** The last lines, if this run is traced. */
    List<String> trace() {
        return new ArrayList<>(trace);
    }

    Agenda agenda() {
        return agenda;
    }

    Chance chance() {
        return chance;
    }

    Cores cores() {
        return cores;
    }

    Coverage coverage() {
        return coverage;
    }

    Repository repository() {
        return repository;
    }

    World world() {
        return world;
    }

    Planner planner() {
        return planner;
    }

    Network network() {
        return network;
    }

    SimulatedCoordinator coordinator() {
        return coordinator;
    }

    SimulatedAgent agent(AgentId id) {
        SimulatedAgent agent = agents.get(id);
        if (agent == null) {
            throw new IllegalArgumentException("no agent " + id);
        }
        return agent;
    }

    SortedSet<AgentId> agents() {
        return new TreeSet<>(agents.keySet());
    }

    SortedSet<JobId> jobs() {
        return new TreeSet<>(vmCounts.keySet());
    }

    int vmCount(JobId job) {
        return vmCounts.getOrDefault(job, 1);
    }
}
