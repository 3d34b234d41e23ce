package org.stillcut.store.repository;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.stillcut.store.ByteRange;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFullException;
import org.stillcut.store.StoreIoException;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.index.InMemoryChunkIndex;
import org.stillcut.store.io.SimulatedFiles;
import org.stillcut.store.io.SimulatedFiles.Fault;
import org.stillcut.store.pack.PackDirectory;

/** A full disk, a power cut or a killed process at every single change that two checkpoints make to the disk. */
class RepositoryFaultTest {

    private static final Path ROOT = Path.of("/repository");
    private static final String JOB = "solver";
    /** Small packs, so that some are sealed before the snapshot is finished; one worker, so that changes come in the same order each time. */
    private static final StoreOptions OPTIONS =
            StoreOptions.DEFAULT.withPackTargetBytes(64 << 10).withWorkerThreads(1);

    /** Differs for each environment, as the seeds of different processes do. */
    private static final AtomicInteger SEED = new AtomicInteger();

    /** What the job's user was told. */
    private final Map<Long, byte[]> committed = new HashMap<>();
    /** What was attempted. */
    private final Map<Long, byte[]> attempted = new HashMap<>();

    @Test
    void powerCutAnywhereKeepsEveryCommittedCheckpoint() throws StoreException {
        int changes = countChanges(Fault.POWER_CUT);
        assertThat(changes).isGreaterThan(30);
        for (int change = 0; change < changes; change++) {
            SimulatedFiles disk = emptyRepository();
            InMemoryChunkIndex index = new InMemoryChunkIndex();
            disk.failAt(change, Fault.POWER_CUT);
            assertThat(runUntilFault(disk, index)).as("change %d", change).isInstanceOf(StoreIoException.class);
            checkSurvivor(disk.afterPowerCut(), index, "change " + change + ", nothing else kept");
            checkSurvivor(disk.afterPowerCut(), new InMemoryChunkIndex(), "change " + change + ", index lost too");
            checkSurvivor(disk.afterKill(), index, "change " + change + ", everything kept");
            for (int seed = 0; seed < 8; seed++) {
                checkSurvivor(disk.afterPowerCut(seed), index, "change " + change + ", seed " + seed);
            }
        }
    }

    @Test
    void fullDiskAnywhereLeavesTheRepositoryUsable() throws StoreException {
        int changes = countChanges(Fault.DISK_FULL);
        for (int change = 0; change < changes; change++) {
            SimulatedFiles disk = emptyRepository();
            InMemoryChunkIndex index = new InMemoryChunkIndex();
            disk.failAt(change, Fault.DISK_FULL);
            @Nullable Exception failure = runUntilFault(disk, index);
            assertThat(failure).as("change %d", change).isInstanceOf(StoreFullException.class);
            assertThat(temporaryFiles(disk)).as("change %d", change).isEmpty();
            disk.makeRoom();
            checkSurvivor(disk, index, "change " + change);
        }
    }

    @Test
    void interruptedCreationCanBeRepeated() throws StoreException {
        SimulatedFiles reference = new SimulatedFiles();
        Repository.create(ROOT, environment(reference));
        int changes = reference.changes();
        for (int change = 0; change < changes; change += change < 5 || change > changes - 12 ? 1 : 40) {
            SimulatedFiles disk = new SimulatedFiles();
            disk.failAt(change, Fault.POWER_CUT);
            assertThat(failureOf(() -> Repository.create(ROOT, environment(disk))))
                    .isInstanceOf(StoreIoException.class);
            for (SimulatedFiles after : List.of(disk.afterKill(), disk.afterPowerCut(), disk.afterPowerCut(change))) {
                @Nullable Exception again = failureOf(() -> Repository.create(ROOT, environment(after)));
                assertThat(again == null || again instanceof StoreConflictException)
                        .as("change %d: %s", change, again)
                        .isTrue();
                committed.clear();
                attempted.clear();
                checkSurvivor(after, new InMemoryChunkIndex(), "creation cut at change " + change);
            }
        }
    }

    /** Removing needs no room, so fewer changes can fail by a full disk. */
    private int countChanges(Fault fault) throws StoreException {
        SimulatedFiles disk = emptyRepository();
        disk.failAt(Integer.MAX_VALUE, fault);
        assertThat(runUntilFault(disk, new InMemoryChunkIndex())).isNull();
        return disk.changes();
    }

    /** Two checkpoints, the second incremental; returns what stopped them. */
    private @Nullable Exception runUntilFault(SimulatedFiles disk, InMemoryChunkIndex index) {
        committed.clear();
        attempted.clear();
        return failureOf(() -> {
            try (Repository repository = Repository.open(ROOT, index, OPTIONS, environment(disk))) {
                SplittableRandom random = new SplittableRandom(42);
                ModelImage image = new ModelImage(400_000);
                image.mutate(random, 20);
                ImageRef base = checkpoint(repository, 1, image, new ImageInput.Full(image.source(), 4096));
                List<ByteRange> changed = image.mutate(random, 6);
                checkpoint(repository, 2, image, new ImageInput.Dirty(image.source(), base, changed));
            }
        });
    }

    private ImageRef checkpoint(Repository repository, long sequence, ModelImage image, ImageInput input)
            throws StoreException {
        attempted.put(sequence, image.bytes());
        ImageRef ref;
        SnapshotRef snapshot;
        try (SnapshotWriter writer = repository.newSnapshot(new SnapshotIdentity(JOB, sequence, 1, 0))) {
            ref = writer.writeImage("ram", input).ref();
            snapshot = writer.finish(new TreeMap<>());
        }
        TreeMap<Integer, SnapshotRef> refs = new TreeMap<>(Map.of(0, snapshot));
        repository.catalog().commit(new CheckpointManifest(JOB, sequence, 1, Instant.EPOCH, refs, new TreeMap<>()));
        committed.put(sequence, image.bytes());
        return ref;
    }

    /** What was committed is there, what is there is whole, and the next checkpoint works. */
    private void checkSurvivor(SimulatedFiles disk, InMemoryChunkIndex index, String situation) throws StoreException {
        assertThat(new PackDirectory(disk, ROOT.resolve("packs")).listDurable(Set.of()))
                .as("%s: the index is ahead of the packs", situation)
                .containsAll(index.absorbedPacks());
        try (Repository repository = Repository.open(ROOT, index.copy(), OPTIONS, environment(disk))) {
            checkContent(repository, situation);
            ModelImage image = new ModelImage(100_000);
            image.mutate(new SplittableRandom(9), 9);
            checkpoint(repository, 9, image, new ImageInput.Full(image.source(), 4096));
            checkContent(repository, situation);
        }
        committed.remove(9L);
        attempted.remove(9L);
    }

    private void checkContent(Repository repository, String situation) throws StoreException {
        List<Long> listed = repository.catalog().listCheckpoints(JOB);
        assertThat(listed).as(situation).containsAll(committed.keySet());
        for (long sequence : listed) {
            CheckpointManifest found =
                    repository.catalog().findCheckpoint(JOB, sequence).orElseThrow();
            ImageRef ram = repository.catalog().readSnapshot(found.snapshot(0)).image("ram");
            assertThat(ModelImage.readAll(repository.openImage(ram)))
                    .as(situation)
                    .isEqualTo(attempted.get(sequence));
        }
    }

    private static List<String> temporaryFiles(SimulatedFiles disk) throws StoreException {
        return Stream.of("packs", "holds", "manifests", "commits", "commits/" + JOB)
                .flatMap(name -> {
                    try {
                        return disk.list(ROOT.resolve(name)).stream();
                    } catch (StoreException e) {
                        return Stream.empty();
                    }
                })
                .filter(name -> name.startsWith("tmp-"))
                .toList();
    }

    private static SimulatedFiles emptyRepository() throws StoreException {
        SimulatedFiles disk = new SimulatedFiles();
        Repository.create(ROOT, environment(disk));
        disk.syncDirectory(Path.of("/"));
        return disk;
    }

    private static StoreEnvironment environment(SimulatedFiles disk) {
        return new StoreEnvironment(disk, new SplittableRandom(SEED.incrementAndGet()), () -> Instant.EPOCH);
    }

    private interface Action {
        void run() throws StoreException;
    }

    private static @Nullable Exception failureOf(Action action) {
        try {
            action.run();
            return null;
        } catch (StoreException e) {
            return e;
        }
    }
}
