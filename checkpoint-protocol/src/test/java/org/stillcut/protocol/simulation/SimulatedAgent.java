package org.stillcut.protocol.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.agent.AgentEffect;
import org.stillcut.protocol.agent.AgentEvent;
import org.stillcut.protocol.agent.AgentProtocol;
import org.stillcut.protocol.agent.AgentState;
import org.stillcut.protocol.agent.AgentTransition;
import org.stillcut.protocol.coordinator.JobEvent;

/** An agent's shell in the simulation: it works on VMs of the {@link World}, talks over the {@link Network}, and dies. */
final class SimulatedAgent {
    static final long WATCHDOG_MILLIS = 700;
    static final int MAX_WORK_MILLIS = 1_500;
    private static final int TYPICAL_WORK_MILLIS = 40;

    /** Work under way for one job. */
    private static final class Work {
        final CommandKey key;
        final SortedMap<VmId, SnapshotRef> snapshots = new TreeMap<>();
        boolean interrupted;

        Work(CommandKey key) {
            this.key = key;
        }
    }

    private final AgentId id;
    private final Simulation simulation;
    private final SortedMap<JobId, AgentState> states = new TreeMap<>();
    private final SortedMap<JobId, Work> works = new TreeMap<>();
    private final SortedMap<CheckpointId, Long> watchdogs = new TreeMap<>();
    private final SortedMap<Incarnation, SortedSet<VmId>> lostVms = new TreeMap<>();
    private final SortedMap<Incarnation, Integer> exits = new TreeMap<>();
    private boolean alive = true;
    private long life;

    SimulatedAgent(AgentId id, Simulation simulation) {
        this.id = id;
        this.simulation = simulation;
    }

    AgentId id() {
        return id;
    }

    boolean isAlive() {
        return alive;
    }

    /** What the agent tells of a job when it connects. */
    SortedSet<Incarnation> held(JobId job) {
        SortedSet<Incarnation> held = new TreeSet<>();
        state(job).held().ifPresent(incarnation -> held.add(incarnation));
        return held;
    }

    /** What an agent repeats in every session, until the incarnation is destroyed. */
    List<JobEvent> standingNews(JobId job) {
        List<JobEvent> news = new ArrayList<>();
        state(job).held().ifPresent(incarnation -> {
            lostVms.getOrDefault(incarnation, new TreeSet<>())
                    .forEach(vm -> news.add(new JobEvent.VmLost(id, incarnation, vm, "it died")));
            Integer status = exits.get(incarnation);
            if (status != null) {
                news.add(new JobEvent.JobExited(incarnation, status));
            }
        });
        return news;
    }

    void receive(JobId job, AgentEvent event) {
        if (!alive) {
            return;
        }
        AgentState before = state(job);
        AgentTransition transition = simulation.cores().agent(before, event);
        simulation.trace(() -> id + " " + before.getClass().getSimpleName() + " <- " + event + " => "
                + transition.next().getClass().getSimpleName());
        simulation.coverage().agent(before, event, transition);
        states.put(job, transition.next());
        for (AgentEffect effect : transition.effects()) {
            carryOut(job, effect);
        }
    }

    private AgentState state(JobId job) {
        return states.computeIfAbsent(job, _ -> AgentProtocol.initial(id, job));
    }

    private void carryOut(JobId job, AgentEffect effect) {
        switch (effect) {
            case AgentEffect.Perform(Command command) -> perform(job, command);
            case AgentEffect.Interrupt(CommandKey key) -> interrupt(job, key);
            case AgentEffect.Answer answer ->
                simulation.network().toCoordinator(id, job, new JobEvent.Reported(answer.report()));
            case AgentEffect.ArmWatchdog(CheckpointId checkpoint) -> arm(checkpoint);
            case AgentEffect.DisarmWatchdog(CheckpointId checkpoint) -> watchdogs.remove(checkpoint);
        }
    }

    private void arm(CheckpointId checkpoint) {
        long armedAt = simulation.agenda().nowMillis();
        watchdogs.put(checkpoint, armedAt);
        later(WATCHDOG_MILLIS, () -> {
            if (watchdogs.remove(checkpoint, armedAt)) {
                receive(checkpoint.job(), new AgentEvent.CoordinatorSilent(checkpoint));
            }
        });
    }

    private void perform(JobId job, Command command) {
        Violation.unless(!works.containsKey(job), "{} began beside other work at {}", command, id);
        Work work = new Work(command.key());
        works.put(job, work);
        Chance chance = simulation.chance();
        int millis = workMillis(chance);
        boolean fails = chance.failingWork();
        for (VmId vm : touched(command)) {
            // Work that fails has been done to some of its VMs, and to others not.
            if (!fails || chance.oneIn(2)) {
                later(chance.between(1, millis), () -> touch(work, vm));
            }
        }
        later(millis, () -> finish(job, work, command, fails));
    }

    /** Of slow work about half still meets the deadline. */
    private static int workMillis(Chance chance) {
        if (!chance.slowWork()) {
            return chance.between(1, TYPICAL_WORK_MILLIS);
        }
        return chance.oneIn(2) ? chance.between(100, 450) : chance.between(450, MAX_WORK_MILLIS);
    }

    private SortedSet<VmId> touched(Command command) {
        return switch (command.step()) {
            case START -> new TreeSet<>(List.of(VmId.LAUNCHER));
            case DESTROY -> new TreeSet<>();
            case BOOT, PREPARE, QUIESCE, FREEZE, PAUSE, CAPTURE, RESUME, PERSIST, ABORT, RESTORE, RUN, THAW ->
                command.vms();
        };
    }

    private void touch(Work work, VmId vm) {
        boolean creates = work.key.step() == Step.BOOT || work.key.step() == Step.RESTORE;
        if (!work.interrupted && (creates || simulation.world().exists(id, work.key.incarnation(), vm))) {
            simulation.world().apply(id, work.key, vm).ifPresent(ref -> work.snapshots.put(vm, ref));
        }
    }

    private void finish(JobId job, Work work, Command command, boolean fails) {
        if (work.interrupted) {
            return;
        }
        works.remove(job);
        SortedSet<VmId> dead = lostVms.getOrDefault(work.key.incarnation(), new TreeSet<>());
        if (fails || (!dead.isEmpty() && work.key.step() != Step.DESTROY)) {
            if (work.key.step() == Step.ABORT) {
                simulation.world().excuse(id, work.key.incarnation());
            }
            receive(job, new AgentEvent.WorkFailed(command.key(), fails ? "no luck" : dead + " died", cause(work)));
            return;
        }
        if (work.key.step() == Step.DESTROY) {
            destroyed(work.key.incarnation());
        }
        receive(job, new AgentEvent.WorkDone(work.key, work.snapshots));
    }

    private AgentEvent.WorkFailed.Cause cause(Work work) {
        if (simulation.chance().oneIn(2)) {
            return AgentEvent.WorkFailed.Cause.OTHER;
        }
        return switch (work.key.step()) {
            case PERSIST -> AgentEvent.WorkFailed.Cause.STORE_FULL;
            case RESTORE -> AgentEvent.WorkFailed.Cause.SNAPSHOT_DAMAGED;
            default -> AgentEvent.WorkFailed.Cause.OTHER;
        };
    }

    private void destroyed(Incarnation incarnation) {
        simulation.world().instancesAt(id).stream()
                .filter(instance -> instance.incarnation().equals(incarnation))
                .forEach(simulation.world()::kill);
        lostVms.remove(incarnation);
        exits.remove(incarnation);
    }

    private void interrupt(JobId job, CommandKey key) {
        Work work = works.remove(job);
        Violation.unless(work != null && work.key.equals(key), "{} interrupted at {}, not under way", key, id);
        if (work != null) {
            work.interrupted = true;
            // Its result may have been on the way already.
            if (simulation.chance().oneIn(3)) {
                later(1, () -> receive(job, new AgentEvent.WorkDone(key, work.snapshots)));
            }
        }
    }

    /** A VM dies. */
    void lose(World.Instance instance) {
        simulation.trace(() -> instance + " dies");
        simulation.world().kill(instance);
        lostVms.computeIfAbsent(instance.incarnation(), _ -> new TreeSet<>()).add(instance.vm());
        simulation
                .network()
                .toCoordinator(
                        id,
                        instance.incarnation().job(),
                        new JobEvent.VmLost(id, instance.incarnation(), instance.vm(), "it died"));
    }

    /** {@code mpirun} ends, if it runs here. */
    void exit(Incarnation incarnation, int status) {
        if (!simulation.world().progresses(new World.Instance(id, incarnation, VmId.LAUNCHER))) {
            return;
        }
        simulation.trace(() -> incarnation + " exits with " + status);
        exits.put(incarnation, status);
        simulation.network().toCoordinator(id, incarnation.job(), new JobEvent.JobExited(incarnation, status));
    }

    /** The node dies, and its VMs with it. */
    void crash() {
        simulation.trace(() -> id + " crashes");
        alive = false;
        life++;
        states.clear();
        works.clear();
        watchdogs.clear();
        lostVms.clear();
        exits.clear();
        simulation.world().instancesAt(id).forEach(simulation.world()::kill);
        simulation.network().cut(id);
    }

    void start() {
        if (!alive) {
            simulation.trace(() -> id + " is back");
            alive = true;
        }
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
