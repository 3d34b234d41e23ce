package org.stillcut.store.manifest;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.ChunkId;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.hold.HoldContent;
import org.stillcut.store.io.AtomicFile;
import org.stillcut.store.io.Frame;
import org.stillcut.store.io.StoreFiles;

/**
 * Removes snapshot manifests that no checkpoint will ever refer to. Used by the one prune that runs.
 *
 * <p>A manifest without a commit record may still wait for it. So it goes only when nobody who lives holds it, and its job has a newer checkpoint or the
 * sweep before saw it already. That is about not being in the way; what makes it safe is the order: the manifest gets another name first, then holds
 * and commit records are read <em>again</em>, and a manifest that is in one of them gets its name back. A commit holds first, then looks for the
 * manifests. So of the two at least one sees the other.
 */
public final class ManifestSweep {

    private static final Logger log = LoggerFactory.getLogger(ManifestSweep.class);

    static final String CONDEMNED_PREFIX = "condemned-";
    private static final String SUSPECTS = "suspects";
    private static final Frame SUSPECTS_FRAME = new Frame("STILSUSP", 1, 16 << 20);

    private final CheckpointCatalog catalog;
    private final StoreFiles files;
    private final Path manifests;

    /** Sweeps this catalog's manifests. */
    public ManifestSweep(CheckpointCatalog catalog, StoreFiles files, Path repository) {
        this.catalog = catalog;
        this.files = files;
        this.manifests = repository.resolve("manifests");
    }

    /**
     * What a sweep found.
     *
     * @param removed manifests that are gone
     * @param waiting manifests without a commit record that stay for now
     */
    public record Result(Set<SnapshotRef> removed, Set<SnapshotRef> waiting) {}

    /** What a sweep would do. */
    public Result plan() throws StoreException {
        Map<String, Long> newest = new HashMap<>();
        Set<SnapshotRef> referenced = referenced(newest);
        Set<SnapshotRef> held = held();
        Set<SnapshotRef> suspects = readSuspects();
        Result result = new Result(new HashSet<>(), new HashSet<>());
        for (SnapshotRef manifest : catalog.listSnapshots()) {
            if (!referenced.contains(manifest)) {
                boolean goes = !held.contains(manifest) && (suspects.contains(manifest) || isOver(manifest, newest));
                (goes ? result.removed() : result.waiting()).add(manifest);
            }
        }
        return result;
    }

    /** Removes what may go; durable when it returns. Fails when a commit record cannot be read: what it refers to is not known then. */
    public Result run() throws StoreException {
        Result plan = plan();
        Set<SnapshotRef> condemned = new HashSet<>(leftCondemned());
        for (SnapshotRef manifest : plan.removed()) {
            files.rename(path(manifest), condemnedPath(manifest));
            condemned.add(manifest);
        }
        Set<SnapshotRef> wanted = held();
        wanted.addAll(referenced(new HashMap<>()));
        Result result = new Result(new HashSet<>(), new HashSet<>(plan.waiting()));
        for (SnapshotRef manifest : condemned) {
            if (wanted.contains(manifest)) {
                files.rename(condemnedPath(manifest), path(manifest));
                result.waiting().add(manifest);
                log.info("snapshot {} was wanted after all and stays", manifest.digest());
            } else {
                files.delete(condemnedPath(manifest));
                result.removed().add(manifest);
            }
        }
        if (!condemned.isEmpty()) {
            files.syncDirectory(manifests);
        }
        writeSuspects(result.waiting());
        return result;
    }

    /** All manifests that commit records refer to; fills in the newest checkpoint of each job. */
    private Set<SnapshotRef> referenced(Map<String, Long> newest) throws StoreException {
        Set<SnapshotRef> referenced = new HashSet<>();
        for (String job : catalog.listJobs()) {
            for (long sequence : catalog.listCheckpoints(job)) {
                var found = catalog.findCheckpoint(job, sequence);
                if (found.isPresent()) {
                    CheckpointManifest checkpoint = found.get();
                    referenced.addAll(checkpoint.snapshots().values());
                    newest.merge(job, sequence, Math::max);
                }
            }
        }
        return referenced;
    }

    private Set<SnapshotRef> held() throws StoreException {
        Set<SnapshotRef> held = new HashSet<>();
        for (HoldContent hold : catalog.holds().settled().values()) {
            held.addAll(hold.manifests());
        }
        return held;
    }

    /** Whether no commit for this manifest can come any more, as far as one can tell: a job commits its checkpoints in their order. */
    private boolean isOver(SnapshotRef manifest, Map<String, Long> newest) throws StoreException {
        try {
            SnapshotIdentity identity = catalog.readSnapshot(manifest).identity();
            return identity.sequence() <= newest.getOrDefault(identity.job(), -1L);
        } catch (StoreCorruptException | StoreMissingException e) {
            // A commit reads the manifest first, so this one can have none.
            return true;
        }
    }

    private Set<SnapshotRef> leftCondemned() throws StoreException {
        Set<SnapshotRef> left = new HashSet<>();
        for (String name : files.list(manifests)) {
            if (name.startsWith(CONDEMNED_PREFIX) && SnapshotRef.isDigest(name.substring(CONDEMNED_PREFIX.length()))) {
                left.add(new SnapshotRef(name.substring(CONDEMNED_PREFIX.length())));
            }
        }
        return left;
    }

    private Set<SnapshotRef> readSuspects() throws StoreException {
        Path path = manifests.resolve(SUSPECTS);
        Set<SnapshotRef> suspects = new HashSet<>();
        try {
            ByteBuffer payload =
                    ByteBuffer.wrap(SUSPECTS_FRAME.unwrap(SUSPECTS_FRAME.readFile(files, path), path.toString()));
            while (payload.remaining() >= ChunkId.LENGTH_BYTES) {
                suspects.add(new SnapshotRef(ChunkId.readFrom(payload).toString()));
            }
        } catch (StoreMissingException e) {
            return suspects;
        } catch (StoreCorruptException e) {
            log.warn("{} is damaged; manifests without a checkpoint stay until the next prune", path, e);
        }
        return suspects;
    }

    private void writeSuspects(Set<SnapshotRef> suspects) throws StoreException {
        if (suspects.isEmpty()) {
            files.delete(manifests.resolve(SUSPECTS));
            return;
        }
        int count = Math.min(suspects.size(), SUSPECTS_FRAME.limitBytes() / ChunkId.LENGTH_BYTES);
        ByteBuffer payload = ByteBuffer.allocate(count * ChunkId.LENGTH_BYTES);
        suspects.stream()
                .map(SnapshotRef::digest)
                .sorted()
                .limit(count)
                .forEach(digest -> payload.put(HexFormat.of().parseHex(digest)));
        new AtomicFile(files, manifests, SUSPECTS, catalog.temporarySuffix())
                .write(SUSPECTS_FRAME.wrap(payload.array()));
    }

    private Path path(SnapshotRef manifest) {
        return manifests.resolve(manifest.digest());
    }

    private Path condemnedPath(SnapshotRef manifest) {
        return manifests.resolve(CONDEMNED_PREFIX + manifest.digest());
    }
}
