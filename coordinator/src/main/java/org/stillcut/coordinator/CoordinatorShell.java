package org.stillcut.coordinator;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.NodeUsage.Origin;
import org.stillcut.coordinator.catalog.JobCatalog;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.job.CheckpointFacts;
import org.stillcut.coordinator.job.CommitException;
import org.stillcut.coordinator.job.JobShell;
import org.stillcut.coordinator.job.LogContext;
import org.stillcut.coordinator.membership.AgentRegistry;
import org.stillcut.coordinator.membership.Gang;
import org.stillcut.coordinator.membership.NodeProfile;
import org.stillcut.coordinator.membership.Wish;
import org.stillcut.coordinator.metrics.CoordinatorMetrics;
import org.stillcut.coordinator.placement.NoRoomException;
import org.stillcut.coordinator.placement.NodeRoom;
import org.stillcut.coordinator.placement.PlacementPlanner;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.protocol.coordinator.JobRecord;

/** The world as the jobs' loops see it: catalog, repository, agents, time. Thread-safe. */
final class CoordinatorShell implements JobShell {
    private static final Logger log = LoggerFactory.getLogger(CoordinatorShell.class);

    private final JobCatalog catalog;
    private final CheckpointRecords checkpoints;
    private final AgentRegistry registry;
    private final NodeUsage usage;
    private final ScheduledExecutorService timer;
    private final ExecutorService background;
    private final CoordinatorMetrics metrics;
    private final Runnable end;

    /**
     * What the shell is made of.
     *
     * @param end ends the process
     */
    record Parts(
            JobCatalog catalog,
            CheckpointRecords checkpoints,
            AgentRegistry registry,
            NodeUsage usage,
            ScheduledExecutorService timer,
            ExecutorService background,
            CoordinatorMetrics metrics,
            Runnable end) {}

    CoordinatorShell(Parts parts) {
        this.catalog = parts.catalog();
        this.checkpoints = parts.checkpoints();
        this.registry = parts.registry();
        this.usage = parts.usage();
        this.timer = parts.timer();
        this.background = parts.background();
        this.metrics = parts.metrics();
        this.end = parts.end();
    }

    @Override
    public void persist(JobId job, List<JobRecord> records) {
        catalog.append(job, records);
        metrics.decided(records);
    }

    @Override
    public void send(AgentId agent, Command command, GangParts gang) {
        registry.link(agent).ifPresent(link -> link.command(command, gangFor(command, gang)));
    }

    private Optional<Gang> gangFor(Command command, GangParts gang) {
        if (command.step() != Step.BOOT && command.step() != Step.RESTORE) {
            return Optional.empty();
        }
        SortedMap<VmId, Gang.Member> members = new TreeMap<>();
        gang.placement().vmsByAgent().forEach((agent, vms) -> {
            String address = registry.profile(agent)
                    .map(NodeProfile::dataAddress)
                    .or(() -> catalog.address(agent))
                    .orElseThrow(() -> new IllegalStateException("node " + agent + " is used and was never here"));
            vms.forEach(vm -> members.put(vm, new Gang.Member(agent.value(), address)));
        });
        return Optional.of(
                new Gang(gang.description(), catalog.networkId(command.incarnation()), members, gang.lazyRestore()));
    }

    @Override
    public void giveUp(JobId job, RuntimeException failure) {
        log.error("job {} cannot be driven any more; the coordinator ends, and the next one takes it up", job, failure);
        end.run();
    }

    @Override
    public Cancellable after(Duration delay, Runnable action) {
        ScheduledFuture<?> scheduled = timer.schedule(guarded(action), delay.toMillis(), TimeUnit.MILLISECONDS);
        return () -> scheduled.cancel(false);
    }

    @Override
    public void inBackground(String name, Runnable action) {
        Runnable guarded = guarded(action);
        background.execute(() -> {
            Thread.currentThread().setName(name);
            guarded.run();
        });
    }

    /** Without it a failed action would vanish in its executor. */
    private static Runnable guarded(Runnable action) {
        return LogContext.kept(() -> {
            try {
                action.run();
            } catch (RuntimeException e) {
                log.error("an action of the coordinator failed", e);
            }
        });
    }

    @Override
    public void commit(
            CheckpointId id,
            Job job,
            JobDescription description,
            SortedMap<VmId, SnapshotRef> snapshots,
            CheckpointFacts facts)
            throws CommitException {
        checkpoints.commit(id, job, description, snapshots, facts);
        metrics.committed(facts.times(), storedBytes(id));
    }

    private long storedBytes(CheckpointId id) {
        try {
            return checkpoints.find(id).stream()
                    .flatMap(recorded -> recorded.parts().stream())
                    .mapToLong(CheckpointRecords.Part::storedBytes)
                    .sum();
        } catch (CommitException e) {
            log.warn("checkpoint {} is committed, but how much it has added cannot be read: {}", id, e.line());
            return 0;
        }
    }

    @Override
    public void forgetOld(JobId job, JobDescription description) {
        checkpoints.pruning().forget(job, description.policy());
    }

    @Override
    public void look(AgentId agent, Incarnation incarnation, long round, boolean digest) {
        registry.link(agent).ifPresent(link -> link.look(incarnation, round, digest));
    }

    @Override
    public void answer(Wish wish, Wish.Outcome outcome, String text) {
        registry.link(wish.agent()).ifPresent(link -> link.answer(wish, outcome, text));
    }

    @Override
    public SortedMap<VmId, Long> sealedDigests(CheckpointId id) throws CommitException {
        return checkpoints.sealedDigests(id);
    }

    @Override
    public Optional<CheckpointId> checkpointToRestartFrom(Incarnation incarnation, SortedSet<CheckpointId> distrusted)
            throws CommitException {
        Optional<CheckpointId> own = checkpoints.newestOf(incarnation);
        Optional<CheckpointId> best = own.isPresent() ? own : catalog.restartedFrom(incarnation);
        return best.isEmpty() ? best : checkpoints.newestUpTo(best.get(), distrusted);
    }

    /** The nodes that the job was started on have no precedence: some of them may be the reason for the restart. */
    @Override
    public Placement placeAgain(
            JobId job, JobDescription description, SortedSet<AgentId> excluded, SortedSet<AgentId> doubtful)
            throws NoRoomException {
        List<NodeRoom> usable = usage.fit(usage.roomsWithout(job), description, Origin.CHECKPOINT).stream()
                .filter(room -> !excluded.contains(room.agent()))
                .toList();
        List<NodeRoom> trusted =
                usable.stream().filter(room -> !doubtful.contains(room.agent())).toList();
        try {
            return plan(description, trusted, List.of());
        } catch (NoRoomException e) {
            log.debug("no room without the doubtful nodes {}: {}", doubtful, e.line());
            return plan(description, usable, List.of());
        }
    }

    /** A place for a restart on the nodes that a person named; on any if none. */
    Placement place(JobDescription description, List<String> nodes) throws NoRoomException {
        usage.requireFit(nodes, description, Origin.CHECKPOINT);
        return plan(description, usage.fit(usage.rooms(), description, Origin.CHECKPOINT), nodes);
    }

    private static Placement plan(JobDescription description, List<NodeRoom> rooms, List<String> nodes)
            throws NoRoomException {
        return PlacementPlanner.plan(
                description.vmCount(), description.vcpusPerVm(), description.memoryBytesPerVm(), rooms, nodes);
    }
}
