package org.stillcut.store.manifest;

import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.store.CheckpointMark;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.hold.HoldContent;
import org.stillcut.store.hold.HoldContent.Purpose;
import org.stillcut.store.hold.Holds;
import org.stillcut.store.io.StoreLock;

/**
 * Changes what is known of committed checkpoints: protects them, tags them, forgets them. Thread-safe, and safe among processes: each change happens
 * under the repository's catalog lock.
 */
public final class CheckpointKeeper {

    private static final Logger log = LoggerFactory.getLogger(CheckpointKeeper.class);
    /** The lock under which marks and records are changed. */
    public static final String LOCK = "catalog";

    private final CheckpointCatalog catalog;
    private final Holds holds;

    /** Changes this catalog. */
    public CheckpointKeeper(CheckpointCatalog catalog) {
        this.catalog = catalog;
        this.holds = catalog.holds();
    }

    /** Protects a checkpoint from being forgotten, or takes that back; durable when it returns. May be repeated. */
    public CheckpointMark protect(CheckpointRef checkpoint, boolean wanted) throws StoreException {
        return change(checkpoint, mark -> mark.withProtection(wanted));
    }

    /** Adds and removes tags; durable when it returns. May be repeated. */
    public CheckpointMark tag(CheckpointRef checkpoint, SortedSet<String> added, SortedSet<String> removed)
            throws StoreException {
        return change(checkpoint, mark -> {
            SortedSet<String> tags = new TreeSet<>(mark.tags());
            tags.addAll(added);
            tags.removeAll(removed);
            return mark.withTags(tags);
        });
    }

    private CheckpointMark change(CheckpointRef checkpoint, UnaryOperator<CheckpointMark> change)
            throws StoreException {
        try (StoreLock _ = holds.exclusive(LOCK, true)) {
            requireRecord(checkpoint);
            CheckpointMark mark = change.apply(readOrProtected(checkpoint));
            catalog.marks().write(checkpoint, mark);
            return mark;
        }
    }

    /** A damaged mark is replaced; whether the checkpoint was protected cannot be known any more, so it counts as protected. */
    private CheckpointMark readOrProtected(CheckpointRef checkpoint) throws StoreException {
        try {
            return catalog.marks().read(checkpoint);
        } catch (StoreCorruptException e) {
            log.warn("the mark of {} is damaged and is replaced", checkpoint, e);
            return CheckpointMark.NONE.withProtection(true);
        }
    }

    /**
     * Forgets a checkpoint: when this returns, it does not exist any more, durably. Its space comes back with the next prune.
     *
     * <p>Fails with {@link StoreMissingException} when it does not exist, and with {@link StoreConflictException} when it is protected, or while
     * somebody reads it, such as a restart. A damaged checkpoint can be forgotten like any other.
     */
    public void forget(CheckpointRef checkpoint) throws StoreException {
        try (StoreLock _ = holds.exclusive(LOCK, true)) {
            requireRecord(checkpoint);
            if (readOrProtected(checkpoint).isProtected()) {
                throw new StoreConflictException("checkpoint " + checkpoint + " is protected", null);
            }
            List<SnapshotRef> manifests = manifestsOf(checkpoint);
            requireUnread(checkpoint, manifests);
            catalog.deleteRecord(checkpoint);
            log.info("job {} checkpoint {} forgotten", checkpoint.job(), checkpoint.sequence());
            for (SnapshotRef manifest : manifests) {
                catalog.deleteSnapshot(manifest);
            }
        }
    }

    private void requireRecord(CheckpointRef checkpoint) throws StoreException {
        if (!catalog.listCheckpoints(checkpoint.job()).contains(checkpoint.sequence())) {
            throw new StoreMissingException("there is no checkpoint " + checkpoint, null);
        }
    }

    private List<SnapshotRef> manifestsOf(CheckpointRef checkpoint) throws StoreException {
        try {
            return catalog.findCheckpoint(checkpoint.job(), checkpoint.sequence())
                    .map(found -> List.copyOf(found.snapshots().values()))
                    .orElse(List.of());
        } catch (StoreCorruptException e) {
            log.warn("the record of {} is damaged; what it referred to is left to the next prune", checkpoint);
            return List.of();
        }
    }

    /** An agent that reads a snapshot, or builds its next one on it, holds its manifest; only the former needs the checkpoint. */
    private void requireUnread(CheckpointRef checkpoint, List<SnapshotRef> manifests) throws StoreException {
        for (HoldContent hold : holds.settled().values()) {
            if (hold.purpose() == Purpose.READING && hold.manifests().stream().anyMatch(manifests::contains)) {
                throw new StoreConflictException("checkpoint " + checkpoint + " is being read", null);
            }
        }
    }
}
