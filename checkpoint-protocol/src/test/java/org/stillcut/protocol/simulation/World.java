package org.stillcut.protocol.simulation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.Watch;

/**
 * The truth about all VMs, whatever anybody believes. The work of agents changes it, and the invariants on what may be
 * done to a VM are checked when it is done.
 */
final class World {
    /**
     * The longest a checkpoint may hold up a VM: until the watchdog fires, and as long as slow work takes that then
     * lets it go on.
     */
    static final long MAX_HELD_MILLIS = SimulatedAgent.WATCHDOG_MILLIS + SimulatedAgent.MAX_WORK_MILLIS;

    /** One VM of one incarnation at one agent. */
    record Instance(AgentId agent, Incarnation incarnation, VmId vm) implements Comparable<Instance> {
        private static final Comparator<Instance> ORDER = Comparator.comparing(Instance::agent)
                .thenComparing(Instance::incarnation)
                .thenComparing(Instance::vm);

        @Override
        public int compareTo(Instance other) {
            return ORDER.compare(this, other);
        }
    }

    private static final class Vm {
        boolean runs;
        /** The ranks are stopped at their MPI calls. */
        boolean held;

        boolean frozen;
        /** Since when a checkpoint holds up the job in this VM; images that are restored were held up before. */
        Optional<Long> heldAtMillis = Optional.empty();
        /** The capture that is kept, and whether the job was seen at rest and all of it stood still when it was taken. */
        Optional<Capture> capture = Optional.empty();
    }

    private record Capture(CheckpointId id, boolean cutIsConsistent) {}

    private final Agenda agenda;
    private final Repository repository;
    private final SortedMap<Instance, Vm> vms = new TreeMap<>();
    private final SortedMap<Incarnation, Placement> placements = new TreeMap<>();
    private final SortedMap<CheckpointId, SortedSet<VmId>> captured = new TreeMap<>();
    private final SortedSet<CheckpointId> undone = new TreeSet<>();
    private final SortedSet<CheckpointId> sealed = new TreeSet<>();
    private final SortedSet<Incarnation> compared = new TreeSet<>();
    private final SortedSet<Incarnation> launched = new TreeSet<>();
    private final SortedSet<JobId> started = new TreeSet<>();

    World(Agenda agenda, Repository repository) {
        this.agenda = agenda;
        this.repository = repository;
    }

    /** An incarnation is on record. */
    void decided(Incarnation incarnation, Placement placement) {
        Placement known = placements.put(incarnation, placement);
        Violation.unless(known == null || known.equals(placement), "{} was decided twice", incarnation);
    }

    boolean exists(AgentId agent, Incarnation incarnation, VmId vm) {
        return vms.containsKey(new Instance(agent, incarnation, vm));
    }

    /** The VMs of an agent, for the choice of one to lose. */
    List<Instance> instancesAt(AgentId agent) {
        return vms.keySet().stream()
                .filter(instance -> instance.agent().equals(agent))
                .toList();
    }

    /** Whether the application makes progress in this VM. */
    boolean progresses(Instance instance) {
        Vm vm = vms.get(instance);
        return vm != null && vm.runs && !vm.frozen && !vm.held && launched.contains(instance.incarnation());
    }

    void kill(Instance instance) {
        vms.remove(instance);
    }

    /** The work of a command takes effect on one VM. */
    Optional<SnapshotRef> apply(AgentId agent, CommandKey key, VmId vm) {
        Instance instance = new Instance(agent, key.incarnation(), vm);
        switch (key.step()) {
            case BOOT, RESTORE -> create(instance, key);
            case START -> launchFirst(key);
            case RUN -> {
                launched.add(key.incarnation());
                vm(instance, key).runs = true;
            }
            case THAW -> release(instance, key);
            case QUIESCE -> hold(vm(instance, key));
            case FREEZE -> vm(instance, key).frozen = true;
            case PAUSE -> vm(instance, key).runs = false;
            case CAPTURE -> capture(instance, key);
            case RESUME -> resume(instance, key);
            case ABORT -> abort(instance, key);
            case PERSIST -> {
                return Optional.of(persist(instance, key));
            }
            case PREPARE -> vm(instance, key);
            case DESTROY -> kill(instance);
        }
        return Optional.empty();
    }

    /** Invariant 4, and: VMs that hold state which cannot be made again are never made anew. */
    private void create(Instance instance, CommandKey key) {
        for (Instance other : instancesAt(instance.agent())) {
            Violation.unless(
                    !other.incarnation().job().equals(key.incarnation().job())
                            || other.incarnation().equals(key.incarnation()),
                    "{} created beside {}",
                    instance,
                    other);
        }
        Violation.unless(!launched.contains(key.incarnation()), "{} created when its job had been set going", instance);
        key.checkpoint()
                .ifPresent(from -> Violation.unless(
                        repository.isCommitted(from), "{} restored from {}, which does not exist", instance, from));
        Vm vm = new Vm();
        vm.runs = key.checkpoint().isEmpty();
        vm.held = key.checkpoint().isPresent();
        vm.frozen = key.checkpoint().isPresent();
        vms.put(instance, vm);
    }

    private void launchFirst(CommandKey key) {
        launched.add(key.incarnation());
        Violation.unless(started.add(key.incarnation().job()), "{}: mpirun started twice", key);
    }

    private void hold(Vm vm) {
        vm.held = true;
        vm.heldAtMillis = Optional.of(agenda.nowMillis());
    }

    /** Half of invariant 8: what was not compared must not run. */
    private void release(Instance instance, CommandKey key) {
        Violation.unless(compared.contains(key.incarnation()), "{} thawed before all were compared", instance);
        thaw(instance);
    }

    /**
     * What the counters of all VMs tell the coordinator.
     *
     * @return what must not be, if there is something
     */
    Optional<String> traffic(Incarnation incarnation, CheckpointId checkpoint, Watch watch) {
        SortedSet<Instance> bad = new TreeSet<>();
        placement(incarnation)
                .vmsByAgent()
                .forEach((agent, ids) -> ids.forEach(id -> {
                    Instance instance = new Instance(agent, incarnation, id);
                    Vm vm = vms.get(instance);
                    Violation.unless(
                            watch != Watch.COMPARE || vm == null || vm.held,
                            "{} compared when it had been thawed",
                            instance);
                    if (vm == null || (!vm.runs && watch != Watch.SEAL) || (needsFrozen(watch) && !vm.frozen)) {
                        bad.add(instance);
                    }
                }));
        if (!bad.isEmpty()) {
            return Optional.of("not so: " + bad);
        }
        if (watch == Watch.SEAL) {
            sealed.add(checkpoint);
        } else if (watch == Watch.COMPARE) {
            compared.add(incarnation);
        }
        return Optional.empty();
    }

    private static boolean needsFrozen(Watch watch) {
        return watch == Watch.VERIFY || watch == Watch.SEAL || watch == Watch.COMPARE;
    }

    private void capture(Instance instance, CommandKey key) {
        captured.computeIfAbsent(key.requireCheckpoint(), _ -> new TreeSet<>()).add(instance.vm());
        vm(instance, key).capture = Optional.of(new Capture(
                key.requireCheckpoint(), sealed.contains(key.requireCheckpoint()) && standsStill(key.incarnation())));
    }

    private boolean standsStill(Incarnation incarnation) {
        for (Map.Entry<AgentId, SortedSet<VmId>> entry :
                placement(incarnation).vmsByAgent().entrySet()) {
            for (VmId vm : entry.getValue()) {
                Vm truth = vms.get(new Instance(entry.getKey(), incarnation, vm));
                if (truth != null && (truth.runs || !truth.frozen)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Invariant 2: none goes on, as a part of the checkpoint, before all were captured, and so were paused. */
    private void resume(Instance instance, CommandKey key) {
        SortedSet<VmId> all = placement(key.incarnation()).vms();
        SortedSet<VmId> done = captured.getOrDefault(key.requireCheckpoint(), new TreeSet<>());
        Violation.unless(done.equals(all), "{} resumed when only {} were captured", instance, done);
        vm(instance, key);
        thaw(instance);
    }

    private void abort(Instance instance, CommandKey key) {
        CheckpointId id = key.requireCheckpoint();
        Violation.unless(!repository.isCommitted(id), "{} undoes {}, which is committed", instance, id);
        undone.add(id);
        if (vms.containsKey(instance)) {
            vm(instance, key).capture = Optional.empty();
            thaw(instance);
        }
    }

    private SnapshotRef persist(Instance instance, CommandKey key) {
        CheckpointId id = key.requireCheckpoint();
        Optional<Capture> capture = vm(instance, key).capture;
        Violation.unless(
                capture.isPresent() && capture.get().id().equals(id),
                "{} persisted for {}, not captured",
                instance,
                id);
        return repository.store(
                key.incarnation(), id, instance.vm(), capture.orElseThrow().cutIsConsistent());
    }

    /** An abort failed: nothing bounds how long its VMs are held up, until somebody tries again or destroys them. */
    void excuse(AgentId agent, Incarnation incarnation) {
        vms.forEach((instance, vm) -> {
            if (instance.agent().equals(agent) && instance.incarnation().equals(incarnation)) {
                vm.heldAtMillis = Optional.empty();
            }
        });
    }

    private void thaw(Instance instance) {
        Vm vm = vms.get(instance);
        if (vm != null) {
            vm.heldAtMillis.ifPresent(since -> Violation.unless(
                    agenda.nowMillis() - since <= MAX_HELD_MILLIS,
                    "{} was held up for {} ms",
                    instance,
                    agenda.nowMillis() - since));
            vm.runs = true;
            vm.held = false;
            vm.frozen = false;
            vm.heldAtMillis = Optional.empty();
        }
    }

    /** A commit record is written: the second half of invariant 2, then what the repository checks. */
    void commit(Incarnation incarnation, CheckpointId id, SortedMap<VmId, SnapshotRef> refs) {
        Violation.unless(!undone.contains(id), "{} committed after a VM was resumed to undo it", id);
        repository.commit(incarnation, placement(incarnation).vms(), id, refs);
    }

    /** Invariant 6 for one job: what exists is exactly what should, and all of it runs. */
    void checkAtEnd(JobId job, Optional<Incarnation> running) {
        SortedSet<Instance> expected = new TreeSet<>();
        running.ifPresent(incarnation -> placement(incarnation)
                .vmsByAgent()
                .forEach((agent, ids) -> ids.forEach(vm -> expected.add(new Instance(agent, incarnation, vm)))));
        List<Instance> present = new ArrayList<>();
        vms.forEach((instance, vm) -> {
            if (instance.incarnation().job().equals(job)) {
                present.add(instance);
                Violation.unless(vm.runs, "{} is paused at the end", instance);
                Violation.unless(!vm.frozen && !vm.held, "{} is frozen at the end", instance);
            }
        });
        Violation.unless(
                present.equals(List.copyOf(expected)), "at the end there is {} instead of {}", present, expected);
        running.ifPresent(incarnation ->
                Violation.unless(launched.contains(incarnation), "{} runs and was never set going", incarnation));
    }

    private Placement placement(Incarnation incarnation) {
        Placement placement = placements.get(incarnation);
        if (placement == null) {
            throw new Violation(incarnation + " is driven and was never decided");
        }
        return placement;
    }

    private Vm vm(Instance instance, CommandKey key) {
        Vm vm = vms.get(instance);
        if (vm == null) {
            throw new Violation(key + " done to " + instance + ", which does not exist");
        }
        return vm;
    }
}
