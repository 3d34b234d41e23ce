package org.stillcut.coordinator.job;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.membership.Wish;
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
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.protocol.coordinator.JobRecord;

/**
 * A world in memory: time that passes when told so, a repository that is a list, and agents that are a list of the commands
 * they were sent. Thread-safe.
 */
public final class FakeJobShell implements JobShell {
    /** What happened, in order: the records persisted and the commands sent. */
    private final List<String> log = new ArrayList<>();

    private final List<JobRecord> records = new ArrayList<>();
    private final List<Sent> unanswered = new ArrayList<>();
    private final List<Timer> timers = new ArrayList<>();
    private final SortedMap<CheckpointId, StageTimes> repository = new TreeMap<>();
    private List<NodeRoom> rooms = List.of();
    private @Nullable CommitException commitFailure;
    private @Nullable RuntimeException persistFailure;
    private Duration now = Duration.ZERO;
    private volatile Looker looker = (_, _, _) -> {};

    /** What {@link PlayedJob}'s VMs show. */
    private volatile SealReader seals = _ -> new TreeMap<>(Map.of(new VmId(0), 0L, new VmId(1), 0L));

    /** A command that an agent has not answered yet. */
    record Sent(AgentId agent, Command command) {}

    private record Timer(Duration due, Runnable action) {}

    @Override
    public void forgetOld(JobId job, JobDescription description) {
        log.add("forget by " + description.policy());
    }

    synchronized void roomOn(NodeRoom... nodes) {
        rooms = List.of(nodes);
    }

    synchronized void failCommits(String line) {
        commitFailure = new CommitException(line, new IllegalStateException("disk"));
    }

    synchronized void failRecords(RuntimeException failure) {
        persistFailure = failure;
    }

    synchronized void addCheckpoint(CheckpointId id) {
        repository.put(id, StageTimes.NONE);
    }

    synchronized List<String> log() {
        return List.copyOf(log);
    }

    synchronized List<JobRecord> records() {
        return List.copyOf(records);
    }

    synchronized SortedMap<CheckpointId, StageTimes> repository() {
        return new TreeMap<>(repository);
    }

    synchronized int timersSet() {
        return timers.size();
    }

    /** The commands that were not taken yet. */
    synchronized List<Sent> takeCommands() {
        List<Sent> taken = List.copyOf(unanswered);
        unanswered.clear();
        return taken;
    }

    /** Lets time pass; what falls due happens on this thread. */
    void pass(Duration time) {
        List<Timer> due = new ArrayList<>();
        synchronized (this) {
            now = now.plus(time);
            timers.removeIf(timer -> timer.due().compareTo(now) <= 0 && due.add(timer));
        }
        due.forEach(timer -> timer.action().run());
    }

    @Override
    public synchronized void persist(JobId job, List<JobRecord> added) {
        if (persistFailure != null) {
            throw persistFailure;
        }
        records.addAll(added);
        added.forEach(record -> log.add("record " + record.getClass().getSimpleName()));
    }

    @Override
    public synchronized void send(AgentId agent, Command command, GangParts gang) {
        log.add(agent + ": " + command);
        unanswered.add(new Sent(agent, command));
    }

    @Override
    public synchronized void giveUp(JobId job, RuntimeException failure) {
        log.add("give up " + job + ": " + failure.getMessage());
    }

    @Override
    public synchronized Cancellable after(Duration delay, Runnable action) {
        Timer timer = new Timer(now.plus(delay), action);
        timers.add(timer);
        return () -> {
            synchronized (FakeJobShell.this) {
                timers.remove(timer);
            }
        };
    }

    @Override
    public void inBackground(String name, Runnable action) {
        Thread.ofVirtual().name(name).start(action);
    }

    @Override
    public synchronized void commit(
            CheckpointId id,
            Job job,
            JobDescription description,
            SortedMap<VmId, SnapshotRef> snapshots,
            CheckpointFacts facts)
            throws CommitException {
        if (commitFailure != null) {
            throw commitFailure;
        }
        log.add("commit " + id + " of " + snapshots);
        repository.put(id, facts.times());
    }

    /** Answers what agents are asked about their VMs; without one they say nothing. */
    interface Looker {
        void look(AgentId agent, Incarnation incarnation, long round);
    }

    void answerLooks(Looker answering) {
        looker = answering;
    }

    @Override
    public void look(AgentId agent, Incarnation incarnation, long round, boolean digest) {
        Thread.ofVirtual().name("look-" + agent).start(() -> looker.look(agent, incarnation, round));
    }

    @Override
    public synchronized void answer(Wish wish, Wish.Outcome outcome, String text) {
        log.add("wish " + wish.number() + " of " + wish.vm() + ": " + outcome + " " + text);
    }

    /** Reads what was sealed; may take its time, or fail. */
    interface SealReader {
        SortedMap<VmId, Long> read(CheckpointId id) throws CommitException;
    }

    void readSeals(SealReader reader) {
        seals = reader;
    }

    @Override
    public SortedMap<VmId, Long> sealedDigests(CheckpointId id) throws CommitException {
        return seals.read(id);
    }

    @Override
    public synchronized Optional<CheckpointId> checkpointToRestartFrom(
            Incarnation incarnation, SortedSet<CheckpointId> distrusted) {
        return repository.keySet().stream()
                .filter(id -> !distrusted.contains(id))
                .reduce((_, newer) -> newer);
    }

    @Override
    public synchronized Placement placeAgain(
            JobId job, JobDescription description, SortedSet<AgentId> excluded, SortedSet<AgentId> doubtful)
            throws NoRoomException {
        List<NodeRoom> usable =
                rooms.stream().filter(room -> !excluded.contains(room.agent())).toList();
        return PlacementPlanner.plan(
                description.vmCount(), description.vcpusPerVm(), description.memoryBytesPerVm(), usable, List.of());
    }
}
