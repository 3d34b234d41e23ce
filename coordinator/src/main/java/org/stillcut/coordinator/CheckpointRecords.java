package org.stillcut.coordinator;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.catalog.CatalogException;
import org.stillcut.coordinator.catalog.CatalogJson;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.job.CheckpointFacts;
import org.stillcut.coordinator.job.CommitException;
import org.stillcut.coordinator.job.Quiescence;
import org.stillcut.coordinator.job.Stage;
import org.stillcut.coordinator.job.StageTimes;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;
import org.stillcut.store.manifest.CheckpointCatalog;

/**
 * The commit records in the repository, as the coordinator writes and reads them. What is known of a checkpoint beyond its
 * snapshots travels in the record's attributes, so that a repository alone is enough to list, show and restart. Thread-safe.
 */
public final class CheckpointRecords {
    private static final Logger log = LoggerFactory.getLogger(CheckpointRecords.class);
    private static final int COMMIT_ATTEMPTS = 5;
    private static final Duration BETWEEN_ATTEMPTS = Duration.ofMillis(200);
    private static final String DESCRIPTION = "job.description";
    private static final String STAGE_PREFIX = "stage.micros.";
    private static final String STAGES_BEGAN = "stages.began";
    private static final String QUIESCENCE = "quiescence";
    private static final String NODE_PREFIX = "node.";

    /** What an agent says of a snapshot in its manifest. */
    private static final String STORED_BYTES = "stored.bytes";

    private final CheckpointCatalog catalog;
    private final InstantSource clock;

    CheckpointRecords(CheckpointCatalog catalog, InstantSource clock) {
        this.catalog = catalog;
        this.clock = clock;
    }

    /** Forgets what jobs do not keep. */
    CheckpointPruning pruning() {
        return new CheckpointPruning(catalog);
    }

    /** A checkpoint with what is known about it. */
    public record Recorded(
            CheckpointManifest manifest, JobDescription description, CheckpointFacts facts, List<Part> parts) {}

    /** One VM's part of a checkpoint: how large it is, and what it added to the repository. */
    public record Part(int vm, String node, long imageBytes, long storedBytes) {}

    /** Makes the checkpoint exist. Durable when it returns; a repeat is harmless. */
    void commit(
            CheckpointId id,
            Job job,
            JobDescription description,
            SortedMap<VmId, SnapshotRef> snapshots,
            CheckpointFacts facts)
            throws CommitException {
        SortedMap<String, String> attributes = new TreeMap<>();
        attributes.put(DESCRIPTION, CatalogJson.write(description));
        facts.times().began().ifPresent(began -> attributes.put(STAGES_BEGAN, began.toString()));
        facts.times()
                .times()
                .forEach((stage, time) -> attributes.put(STAGE_PREFIX + stage, Long.toString(time.toNanos() / 1000)));
        attributes.put(QUIESCENCE, CatalogJson.write(facts.quiescence()));
        job.placement()
                .vmsByAgent()
                .forEach((agent, vms) -> vms.forEach(vm -> attributes.put(NODE_PREFIX + vm.index(), agent.value())));
        SortedMap<Integer, org.stillcut.store.SnapshotRef> references = references(id, snapshots);
        CheckpointManifest manifest = new CheckpointManifest(
                id.job().value(), id.sequence(), job.epoch(), clock.instant(), references, attributes);
        commit(manifest, 1);
    }

    /**
     * A commit that failed is tried again with the very same record, since only a commit that succeeds is known to be durable.
     *
     * @throws CommitException if the record certainly does not exist
     */
    private void commit(CheckpointManifest manifest, int attempt) throws CommitException {
        String id = manifest.job() + "@" + manifest.sequence();
        try {
            catalog.commit(manifest);
        } catch (StoreException e) {
            boolean conflict = e instanceof StoreConflictException;
            if (conflict && exists(manifest)) {
                log.info("{} was committed before", id);
            } else if (!conflict && attempt < COMMIT_ATTEMPTS) {
                log.warn("commit of {} failed, trying again", id, e);
                pause();
                commit(manifest, attempt + 1);
            } else if (exists(manifest)) {
                throw new IllegalStateException("the record of " + id + " is there, yet its commit fails", e);
            } else {
                throw failure("checkpoint " + id + " cannot be committed", e);
            }
        }
    }

    private static SortedMap<Integer, org.stillcut.store.SnapshotRef> references(
            CheckpointId id, SortedMap<VmId, SnapshotRef> snapshots) throws CommitException {
        try {
            SortedMap<Integer, org.stillcut.store.SnapshotRef> references = new TreeMap<>();
            snapshots.forEach(
                    (vm, snapshot) -> references.put(vm.index(), new org.stillcut.store.SnapshotRef(snapshot.value())));
            return references;
        } catch (IllegalArgumentException e) {
            throw failure("checkpoint " + id + " cannot be committed", e);
        }
    }

    private static void pause() {
        try {
            Thread.sleep(BETWEEN_ATTEMPTS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the coordinator ends in the middle of a commit", e);
        }
    }

    /** A commit that fails late may have left its record all the same; and a record is the truth. */
    private boolean exists(CheckpointManifest manifest) {
        try {
            return catalog.findCheckpoint(manifest.job(), manifest.sequence())
                    .filter(found -> found.epoch() == manifest.epoch()
                            && found.snapshots().equals(manifest.snapshots()))
                    .isPresent();
        } catch (StoreException e) {
            throw new IllegalStateException(
                    "whether " + manifest.job() + "@" + manifest.sequence() + " exists cannot be read", e);
        }
    }

    /** The newest checkpoint of a job that exists. */
    public Optional<CheckpointId> newest(JobId job) throws CommitException {
        try {
            List<Long> sequences = catalog.listCheckpoints(job.value());
            return sequences.isEmpty() ? Optional.empty() : Optional.of(new CheckpointId(job, sequences.getLast()));
        } catch (StoreException e) {
            throw failure("checkpoints of " + job + " cannot be listed", e);
        }
    }

    /** The highest epoch that the job's checkpoints know, as far as they can be read. */
    public long lastEpoch(JobId job) throws CommitException {
        long last = Incarnation.FIRST_EPOCH;
        for (CheckpointId id : list(Optional.of(job))) {
            try {
                last = Math.max(
                        last, readable(id).map(CheckpointManifest::epoch).orElse(last));
            } catch (StoreException e) {
                throw failure("checkpoint " + id + " cannot be read", e);
            }
        }
        return last;
    }

    /** The newest checkpoint that an incarnation has committed itself. */
    Optional<CheckpointId> newestOf(Incarnation incarnation) throws CommitException {
        return newest(incarnation.job(), incarnation, _ -> true, found -> found.epoch() == incarnation.epoch());
    }

    /** The newest checkpoint that is not newer than this one, can be read, and is none of those distrusted. */
    Optional<CheckpointId> newestUpTo(CheckpointId newest, SortedSet<CheckpointId> distrusted) throws CommitException {
        return newest(newest.job(), newest.job(), id -> !newest.isOlderThan(id) && !distrusted.contains(id), _ -> true);
    }

    /** Reads the records of those wanted, newest first, until one fits. */
    private Optional<CheckpointId> newest(
            JobId job, Object whose, Predicate<CheckpointId> wanted, Predicate<CheckpointManifest> fits)
            throws CommitException {
        try {
            for (long sequence : catalog.listCheckpoints(job.value()).reversed()) {
                CheckpointId id = new CheckpointId(job, sequence);
                if (wanted.test(id) && readable(id).filter(fits).isPresent()) {
                    return Optional.of(id);
                }
            }
            return Optional.empty();
        } catch (StoreException e) {
            throw failure("checkpoints of " + whose + " cannot be read", e);
        }
    }

    /** A record that is damaged is nobody's: an older checkpoint is better than none. */
    private Optional<CheckpointManifest> readable(CheckpointId id) throws StoreException {
        try {
            return catalog.findCheckpoint(id.job().value(), id.sequence());
        } catch (StoreCorruptException | StoreFormatException e) {
            log.error("the record of {} is damaged; it is passed over", id, e);
            return Optional.empty();
        }
    }

    /** All checkpoints of a job, or of all jobs if none is named; oldest first within a job. */
    public List<CheckpointId> list(Optional<JobId> job) throws CommitException {
        try {
            List<CheckpointId> ids = new ArrayList<>();
            List<String> jobs = job.isPresent() ? List.of(job.get().value()) : catalog.listJobs();
            for (String name : jobs) {
                for (long sequence : catalog.listCheckpoints(name)) {
                    ids.add(new CheckpointId(new JobId(name), sequence));
                }
            }
            return ids;
        } catch (StoreException e) {
            throw failure("checkpoints cannot be listed", e);
        }
    }

    /** One checkpoint, if it exists. */
    public Optional<Recorded> find(CheckpointId id) throws CommitException {
        try {
            Optional<CheckpointManifest> manifest =
                    catalog.findCheckpoint(id.job().value(), id.sequence());
            return manifest.isEmpty() ? Optional.empty() : Optional.of(recorded(manifest.get()));
        } catch (StoreException | CatalogException | IllegalArgumentException | DateTimeParseException e) {
            // Attributes are input, too: a value that no coordinator wrote is damage like a bad checksum.
            throw failure("checkpoint " + id + " cannot be read", e);
        }
    }

    private static Quiescence quiescence(CheckpointManifest manifest) {
        String json = manifest.attributes().get(QUIESCENCE);
        if (json == null) {
            throw new IllegalArgumentException(
                    "it was taken by a version that did not prove the traffic to be at rest");
        }
        return CatalogJson.read(json, Quiescence.class);
    }

    /** What the VMs of a checkpoint will show when they are restored. */
    SortedMap<VmId, Long> sealedDigests(CheckpointId id) throws CommitException {
        try {
            CheckpointManifest manifest = catalog.findCheckpoint(id.job().value(), id.sequence())
                    .orElseThrow(() -> new CommitException("there is no checkpoint " + id));
            SortedMap<VmId, Long> digests = new TreeMap<>();
            quiescence(manifest).digests().forEach((vm, digest) -> digests.put(new VmId(vm), digest));
            return digests;
        } catch (StoreException | CatalogException | IllegalArgumentException e) {
            throw failure("checkpoint " + id + " cannot be read", e);
        }
    }

    private Recorded recorded(CheckpointManifest manifest) throws StoreException {
        SortedMap<String, String> attributes = manifest.attributes();
        Map<Stage, Duration> times = new EnumMap<>(Stage.class);
        for (Stage stage : Stage.values()) {
            String micros = attributes.get(STAGE_PREFIX + stage);
            if (micros != null) {
                times.put(stage, Duration.ofNanos(Long.parseLong(micros) * 1000));
            }
        }
        Optional<Instant> began =
                Optional.ofNullable(attributes.get(STAGES_BEGAN)).map(Instant::parse);
        List<Part> parts = new ArrayList<>();
        for (var entry : manifest.snapshots().entrySet()) {
            SnapshotManifest snapshot = catalog.readSnapshot(entry.getValue());
            long imageBytes = snapshot.images().values().stream()
                    .mapToLong(ImageRef::lengthBytes)
                    .sum();
            long storedBytes = Long.parseLong(snapshot.attributes().getOrDefault(STORED_BYTES, "0"));
            String node = attributes.getOrDefault(NODE_PREFIX + entry.getKey(), "");
            parts.add(new Part(entry.getKey(), node, imageBytes, storedBytes));
        }
        JobDescription description = CatalogJson.read(attributes.getOrDefault(DESCRIPTION, ""), JobDescription.class);
        CheckpointFacts facts = new CheckpointFacts(new StageTimes(began, times), quiescence(manifest));
        return new Recorded(manifest, description, facts, parts);
    }

    private static CommitException failure(String what, Exception cause) {
        return new CommitException(what + ": " + Objects.toString(cause.getMessage(), cause.toString()), cause);
    }
}
