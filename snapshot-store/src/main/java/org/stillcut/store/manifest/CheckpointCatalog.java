package org.stillcut.store.manifest;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.JobName;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.hold.Hold;
import org.stillcut.store.hold.HoldContent;
import org.stillcut.store.hold.HoldContent.Purpose;
import org.stillcut.store.hold.Holds;
import org.stillcut.store.io.AtomicFile;
import org.stillcut.store.io.Frame;
import org.stillcut.store.io.StoreFiles;

/**
 * The manifests and commit records of a repository: which checkpoints exist, and what they consist of.
 *
 * <p>Thread-safe, and safe among processes. Needs no chunk index, so a coordinator can have one without opening the chunks. Holds nothing that has to
 * be closed.
 */
public final class CheckpointCatalog {

    private static final Logger log = LoggerFactory.getLogger(CheckpointCatalog.class);

    /** As many digits as the largest sequence has, so that names sort like numbers. */
    private static final int SEQUENCE_DIGITS = 19;

    private static final Pattern SEQUENCE_NAME = Pattern.compile("[0-9]{" + SEQUENCE_DIGITS + "}");

    private final StoreFiles files;
    private final RandomGenerator random;
    private final Path manifests;
    private final Path commits;
    private final Holds holds;
    private final CheckpointMarks marks;

    /** The catalog of the repository in this directory; reads nothing yet. */
    public CheckpointCatalog(StoreFiles files, RandomGenerator random, Path repository) {
        this.files = files;
        this.random = random;
        this.manifests = repository.resolve("manifests");
        this.commits = repository.resolve("commits");
        this.holds = new Holds(files, random, repository);
        this.marks = new CheckpointMarks(files, commits, this::temporarySuffix);
    }

    /** Creates the directories of a new repository, durably but for their own names. May be repeated. */
    public void create() throws StoreException {
        files.createDirectory(manifests);
        files.createDirectory(commits);
        holds.create();
    }

    /** Who uses the repository now. */
    public Holds holds() {
        return holds;
    }

    /** What people noted about checkpoints. */
    public CheckpointMarks marks() {
        return marks;
    }

    /**
     * Writes a snapshot manifest; durable when it returns. Its chunks must be durable before, which is why only the snapshot writer calls this.
     * May be repeated.
     */
    public SnapshotRef writeSnapshot(SnapshotManifest manifest) throws StoreException {
        byte[] file = ManifestCodec.encode(manifest);
        String digest = HexFormat.of().formatHex(Frame.sha256(file));
        new AtomicFile(files, manifests, digest, temporarySuffix()).write(file);
        return new SnapshotRef(digest);
    }

    /** Reads a snapshot manifest and checks it against the digest in its reference. */
    public SnapshotManifest readSnapshot(SnapshotRef ref) throws StoreException {
        try {
            return readSnapshot(ref, ref.digest());
        } catch (StoreMissingException e) {
            try {
                // A prune that took it aside and died; the next one gives it its name back.
                return readSnapshot(ref, ManifestSweep.CONDEMNED_PREFIX + ref.digest());
            } catch (StoreMissingException other) {
                throw e;
            }
        }
    }

    private SnapshotManifest readSnapshot(SnapshotRef ref, String fileName) throws StoreException {
        String name = "snapshot manifest " + ref.digest();
        byte[] file = ManifestCodec.SNAPSHOT.readFile(files, manifests.resolve(fileName));
        SnapshotManifest manifest = ManifestCodec.decodeSnapshot(file, name);
        if (!HexFormat.of().formatHex(Frame.sha256(file)).equals(ref.digest())) {
            throw new StoreCorruptException(Damage.CHECKSUM, name + " has another digest than its name");
        }
        return manifest;
    }

    /**
     * Writes the commit record: when this returns, the checkpoint exists, durably. Before, it checks that every snapshot's manifest is there and is
     * for this job, sequence and VM.
     *
     * <p>While it runs, a hold keeps a prune from taking the manifests away between the check and the record.
     *
     * <p>A repeat with an equal manifest changes nothing and succeeds. Another manifest under the same job and sequence is refused with
     * {@link StoreConflictException}. After any other failure the checkpoint may exist or not: repeat, or ask {@link #findCheckpoint}.
     */
    public void commit(CheckpointManifest checkpoint) throws StoreException {
        List<SnapshotRef> needed = List.copyOf(checkpoint.snapshots().values());
        try (Hold _ = holds.open(new HoldContent(Purpose.WRITING, List.of(), needed))) {
            commitHeld(checkpoint);
        }
    }

    private void commitHeld(CheckpointManifest checkpoint) throws StoreException {
        for (Map.Entry<Integer, SnapshotRef> snapshot : checkpoint.snapshots().entrySet()) {
            checkSnapshot(checkpoint, snapshot.getKey(), snapshot.getValue());
        }
        // Their writers did this before they gave the references away; a reference that came another way must not
        // weaken the commit.
        files.syncDirectory(manifests);
        Path directory = commits.resolve(checkpoint.job());
        files.createDirectory(directory);
        files.syncDirectory(commits);
        String name = sequenceName(checkpoint.sequence());
        byte[] file = ManifestCodec.encode(checkpoint);
        if (new AtomicFile(files, directory, name, temporarySuffix()).writeIfAbsent(file)) {
            log.info("job {} checkpoint {} committed", checkpoint.job(), checkpoint.sequence());
            return;
        }
        CheckpointManifest existing = readCheckpoint(checkpoint.job(), checkpoint.sequence());
        if (!existing.equals(checkpoint)) {
            throw new StoreConflictException(
                    "job " + checkpoint.job() + " has a different checkpoint " + checkpoint.sequence() + ", of epoch "
                            + existing.epoch() + " and created " + existing.created(),
                    null);
        }
    }

    /** The checkpoint with this number, or nothing when it does not exist. Fails when its record is damaged. */
    public Optional<CheckpointManifest> findCheckpoint(String job, long sequence) throws StoreException {
        JobName.require(job);
        try {
            return Optional.of(readCheckpoint(job, sequence));
        } catch (StoreMissingException e) {
            return Optional.empty();
        }
    }

    /** The numbers of the checkpoints of a job, ascending; empty for an unknown job. Does not read the records. */
    public List<Long> listCheckpoints(String job) throws StoreException {
        JobName.require(job);
        List<String> names;
        try {
            names = files.list(commits.resolve(job));
        } catch (StoreMissingException e) {
            return List.of();
        }
        List<Long> sequences = new ArrayList<>();
        for (String name : names) {
            if (SEQUENCE_NAME.matcher(name).matches()) {
                sequences.add(Long.valueOf(name));
            }
        }
        return sequences;
    }

    /** The jobs that have checkpoints, in the order of their names. */
    public List<String> listJobs() throws StoreException {
        List<String> jobs = new ArrayList<>();
        for (String name : files.list(commits)) {
            if (JobName.isValid(name) && !listCheckpoints(name).isEmpty()) {
                jobs.add(name);
            }
        }
        return jobs;
    }

    /** The digests of all snapshot manifests, committed or not. */
    public List<SnapshotRef> listSnapshots() throws StoreException {
        return files.list(manifests).stream()
                .filter(SnapshotRef::isDigest)
                .map(SnapshotRef::new)
                .toList();
    }

    /** Removes a commit record, durably, and then its mark. */
    void deleteRecord(CheckpointRef checkpoint) throws StoreException {
        Path directory = commits.resolve(checkpoint.job());
        files.delete(directory.resolve(sequenceName(checkpoint.sequence())));
        files.syncDirectory(directory);
        marks.delete(checkpoint);
    }

    /** Removes a manifest that no commit record refers to any more, durably in that sense. */
    void deleteSnapshot(SnapshotRef snapshot) throws StoreException {
        files.delete(manifests.resolve(snapshot.digest()));
    }

    /** The names under which small files are being written, or were when their writer died. */
    public List<Path> temporaries() throws StoreException {
        List<Path> directories = new ArrayList<>(List.of(manifests, commits));
        for (String job : files.list(commits)) {
            if (JobName.isValid(job)) {
                directories.add(commits.resolve(job));
            }
        }
        List<Path> found = new ArrayList<>();
        for (Path directory : directories) {
            for (String name : files.list(directory)) {
                if (name.startsWith(AtomicFile.TEMPORARY_PREFIX)) {
                    found.add(directory.resolve(name));
                }
            }
        }
        return found;
    }

    private void checkSnapshot(CheckpointManifest checkpoint, int vmIndex, SnapshotRef ref) throws StoreException {
        // Under its own name: one that a prune has taken aside may be gone the next moment.
        SnapshotIdentity found = readSnapshot(ref, ref.digest()).identity();
        boolean belongs = found.job().equals(checkpoint.job())
                && found.sequence() == checkpoint.sequence()
                && found.vmIndex() == vmIndex;
        if (!belongs) {
            throw new StoreConflictException(
                    "snapshot " + ref.digest() + " is for " + found + ", not for VM " + vmIndex + " of job "
                            + checkpoint.job() + " checkpoint " + checkpoint.sequence(),
                    null);
        }
    }

    private CheckpointManifest readCheckpoint(String job, long sequence) throws StoreException {
        String name = "commit record of job " + job + " checkpoint " + sequence;
        Path path = commits.resolve(job).resolve(sequenceName(sequence));
        CheckpointManifest found = ManifestCodec.decodeCheckpoint(ManifestCodec.COMMIT.readFile(files, path), name);
        if (!found.job().equals(job) || found.sequence() != sequence) {
            throw new StoreCorruptException(
                    Damage.MALFORMED, name + " is for job " + found.job() + " checkpoint " + found.sequence());
        }
        return found;
    }

    String temporarySuffix() {
        return HexFormat.of().toHexDigits(random.nextLong());
    }

    static String sequenceName(long sequence) {
        if (sequence < 0) {
            throw new IllegalArgumentException("sequence " + sequence + " is negative");
        }
        return String.format(Locale.ROOT, "%0" + SEQUENCE_DIGITS + "d", sequence);
    }
}
