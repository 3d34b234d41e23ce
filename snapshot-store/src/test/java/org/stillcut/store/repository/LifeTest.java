package org.stillcut.store.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stillcut.store.ByteRange;
import org.stillcut.store.CheckpointMark;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.ImageRef;
import org.stillcut.store.MissingChunkException;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.index.InMemoryChunkIndex;
import org.stillcut.store.io.SimulatedFiles;
import org.stillcut.store.progress.Progress;
import org.stillcut.store.prune.PruneOptions;
import org.stillcut.store.prune.PruneReport;

/** Forgetting, protecting, pruning: what each does, and what it refuses. */
class LifeTest {

    private static final Path ROOT = Path.of("/repository");
    private static final StoreOptions OPTIONS =
            StoreOptions.DEFAULT.withPackTargetBytes(64 << 10).withWorkerThreads(1);
    private static final PruneOptions PRUNE = new PruneOptions(false, 0, Duration.ZERO);
    private static final CheckpointRef FIRST = new CheckpointRef("heat", 1);
    private static final CheckpointRef LAST = new CheckpointRef("heat", 3);

    private final SimulatedFiles disk = new SimulatedFiles();
    private final SplittableRandom random = new SplittableRandom(5);
    private final ModelStore model = new ModelStore();

    @BeforeEach
    void writeThreeCheckpoints() throws StoreException {
        Repository.create(ROOT, environment());
        try (Repository repository = open()) {
            for (int i = 0; i < 3; i++) {
                model.checkpoint(repository, model.job("heat"), random);
            }
        }
        model.forgetBases();
    }

    private StoreEnvironment environment() {
        return new StoreEnvironment(disk, random.split(), () -> Instant.EPOCH);
    }

    private Repository open() throws StoreException {
        return Repository.open(ROOT, new InMemoryChunkIndex(), OPTIONS, environment());
    }

    @Test
    void protectedCheckpointIsNotForgotten() throws StoreException {
        try (Repository repository = open()) {
            repository.keeper().protect(FIRST, true);
            repository.keeper().tag(FIRST, new TreeSet<>(List.of("good")), new TreeSet<>());
            assertThatExceptionOfType(StoreConflictException.class)
                    .isThrownBy(() -> repository.keeper().forget(FIRST))
                    .withMessageContaining("protected");
            repository.keeper().protect(FIRST, false);
            assertThat(repository.catalog().marks().read(FIRST))
                    .isEqualTo(new CheckpointMark(false, new TreeSet<>(List.of("good"))));
            repository.keeper().forget(FIRST);
            assertThat(repository.catalog().marks().read(FIRST)).isEqualTo(CheckpointMark.NONE);
            assertThatExceptionOfType(StoreMissingException.class)
                    .isThrownBy(() -> repository.keeper().forget(FIRST));
            assertThatExceptionOfType(StoreMissingException.class)
                    .isThrownBy(() -> repository.keeper().protect(FIRST, true));
        }
    }

    @Test
    void damagedMarkCountsAsProtectedUntilItIsMended() throws StoreException {
        try (Repository repository = open()) {
            repository.keeper().protect(FIRST, true);
            Path mark = ROOT.resolve("commits/heat").resolve("0000000000000000001.mark");
            disk.flipBit(mark, disk.content(mark).length - 2);
            assertThat(repository.verify(false, Progress.NONE).findings()).hasSize(1);
            assertThatExceptionOfType(StoreConflictException.class)
                    .isThrownBy(() -> repository.keeper().forget(FIRST));
            repository.keeper().protect(FIRST, false);
            repository.keeper().forget(FIRST);
        }
    }

    @Test
    void checkpointThatIsReadIsNotForgottenAndStaysWhole() throws StoreException {
        try (Repository reader = open();
                Repository operator = open()) {
            SnapshotRef ref =
                    reader.catalog().findCheckpoint("heat", 1).orElseThrow().snapshot(0);
            var snapshot = reader.catalog().readSnapshot(ref);
            reader.holdForReading(FIRST, ref, snapshot);
            assertThatExceptionOfType(StoreConflictException.class)
                    .isThrownBy(() -> operator.keeper().forget(FIRST))
                    .withMessageContaining("being read");
            reader.release("heat", 0);
            operator.keeper().forget(FIRST);
            assertThatExceptionOfType(StoreMissingException.class)
                    .isThrownBy(() -> reader.holdForReading(FIRST, ref, snapshot));
        }
    }

    @Test
    void readerFindsChunksWhereAPruneHasPutThem() throws StoreException {
        try (Repository reader = open();
                Repository operator = open()) {
            byte[] before = ModelStore.content(reader, LAST);
            model.forget(operator, FIRST);
            model.forget(operator, new CheckpointRef("heat", 2));
            PruneReport report = operator.prune(PRUNE, Progress.NONE);
            assertThat(report.packsWritten()).isPositive();
            assertThat(report.bytesRemoved()).isGreaterThan(report.bytesWritten());
            assertThat(ModelStore.content(reader, LAST)).isEqualTo(before);
        }
    }

    @Test
    void baseOfARunningVmOutlivesItsCheckpoint() throws StoreException {
        try (Repository agent = open();
                Repository operator = open()) {
            ModelStore.Job job = model.job("storm");
            CheckpointRef base = model.checkpoint(agent, job, random);
            model.forget(operator, base);
            operator.prune(PRUNE, Progress.NONE);
            operator.prune(PRUNE, Progress.NONE);
            CheckpointRef next = model.checkpoint(agent, job, random);
            operator.prune(PRUNE, Progress.NONE);
            assertThat(ModelStore.content(operator, next)).isEqualTo(job.image.bytes());
        }
    }

    @Test
    void baseThatIsGoneIsRefusedInsteadOfBuiltOn() throws StoreException {
        ImageRef base;
        try (Repository agent = open()) {
            base = ModelStore.manifest(agent, FIRST).image("ram");
        }
        try (Repository agent = open()) {
            for (long sequence = 1; sequence <= 3; sequence++) {
                model.forget(agent, new CheckpointRef("heat", sequence));
            }
            agent.prune(PRUNE, Progress.NONE);
            ModelImage image = new ModelImage((int) base.lengthBytes());
            try (SnapshotWriter writer = agent.newSnapshot(new SnapshotIdentity("heat", 4, 1, 0))) {
                List<ByteRange> nothing = List.of();
                assertThatExceptionOfType(MissingChunkException.class)
                        .isThrownBy(
                                () -> writer.writeImage("ram", new ImageInput.Dirty(image.source(), base, nothing)));
            }
        }
    }

    @Test
    void snapshotWithoutCommitGoesWithTheSecondPruneWhenItsWriterIsGone() throws StoreException {
        ModelStore.Written written;
        try (Repository agent = open();
                Repository operator = open()) {
            written = model.snapshot(agent, model.job("storm"), random);
            for (int i = 0; i < 3; i++) {
                assertThat(operator.prune(PRUNE, Progress.NONE).manifestsWaiting())
                        .isEqualTo(1);
            }
            // Still good for a commit.
            model.commit(operator, written);
            model.check(operator, "after a late commit");
            model.snapshot(agent, model.job("storm"), random);
        }
        try (Repository operator = open()) {
            assertThat(operator.prune(PRUNE, Progress.NONE).manifestsRemoved()).isZero();
            assertThat(operator.prune(PRUNE, Progress.NONE).manifestsRemoved()).isEqualTo(1);
            model.check(operator, "after the prunes");
        }
    }

    @Test
    void commitAfterThePruneIsRefused() throws StoreException {
        ModelStore.Written written;
        try (Repository agent = open()) {
            written = model.snapshot(agent, model.job("storm"), random);
        }
        try (Repository operator = open()) {
            operator.prune(PRUNE, Progress.NONE);
            operator.prune(PRUNE, Progress.NONE);
            assertThatExceptionOfType(StoreMissingException.class).isThrownBy(() -> model.commit(operator, written));
            assertThat(operator.catalog().listJobs()).containsExactly("heat");
        }
    }

    @Test
    void damagedCheckpointKeepsAPruneFromGuessing() throws StoreException {
        Path record = ROOT.resolve("commits/heat").resolve("0000000000000000002");
        disk.flipBit(record, disk.content(record).length - 2);
        try (Repository repository = open()) {
            assertThatExceptionOfType(StoreCorruptException.class)
                    .isThrownBy(() -> repository.prune(PRUNE, Progress.NONE));
            assertThat(repository.verify(false, Progress.NONE).damaged().keySet())
                    .containsExactly(new CheckpointRef("heat", 2));
            repository.keeper().forget(new CheckpointRef("heat", 2));
            repository.prune(PRUNE, Progress.NONE);
            assertThat(ModelStore.content(repository, LAST)).isEqualTo(model.possible.get(LAST));
        }
    }

    @Test
    void onlyOnePruneRuns() throws StoreException {
        try (Repository repository = open();
                var running = repository.catalog().holds().exclusive("prune", false)) {
            assertThat(running).isNotNull();
            assertThatExceptionOfType(StoreConflictException.class)
                    .isThrownBy(() -> repository.prune(PRUNE, Progress.NONE));
        }
    }

    @Test
    void pruneFreesWhatItPromised() throws StoreException {
        try (Repository repository = open()) {
            model.forget(repository, FIRST);
            PruneReport promised = repository.prune(PRUNE.asDryRun(), Progress.NONE);
            PruneReport kept = repository.prune(PRUNE, Progress.NONE);
            assertThat(kept.packsRemoved()).isEqualTo(promised.packsRemoved());
            assertThat(kept.bytesRemoved()).isEqualTo(promised.bytesRemoved());
            assertThat(repository.prune(PRUNE.asDryRun(), Progress.NONE).packsRemoved())
                    .isZero();
        }
    }

    @Test
    void differenceCountsChangedChunks() throws StoreException {
        try (Repository repository = open()) {
            assertThat(repository.difference(FIRST, FIRST).entries())
                    .allMatch(entry -> entry.changedBytes() == 0)
                    .hasSize(1);
            byte[] one = ModelStore.content(repository, FIRST);
            byte[] other = ModelStore.content(repository, LAST);
            long changed = 0;
            for (int at = 0; at < one.length; at += ModelStore.CHUNK) {
                int end = Math.min(at + ModelStore.CHUNK, one.length);
                changed += java.util.Arrays.equals(one, at, end, other, at, end) ? 0 : ModelStore.CHUNK;
            }
            assertThat(repository.difference(FIRST, LAST).entries().getFirst().changedBytes())
                    .isEqualTo(changed);
        }
    }

    @Test
    void checkpointThatHardlyChangedAddsHardlyAnyIndex() throws StoreException {
        try (Repository repository = open()) {
            int pages = 64;
            int length = pages * 512 * 4096;
            ModelImage image = new ModelImage(length);
            long before = repository.statistics().rawBytes();
            ImageRef base = writeImage(repository, 1, new ImageInput.Full(new EveryChunk(length, 0), 4096));
            long first = repository.statistics().rawBytes() - before - length;
            ByteRange oneOfHundred = new ByteRange(0, length / 100);
            writeImage(
                    repository,
                    2,
                    new ImageInput.Dirty(new EveryChunk(length, length / 100), base, List.of(oneOfHundred)));
            long second = repository.statistics().rawBytes() - before - length - first - length / 100;
            assertThat(image.lengthBytes()).isEqualTo(length);
            // A page and the root, of 64 pages and the root.
            assertThat(second).isLessThan(first / 25);
        }
    }

    private static ImageRef writeImage(Repository repository, int sequence, ImageInput input) throws StoreException {
        try (SnapshotWriter writer = repository.newSnapshot(new SnapshotIdentity("large", sequence, 1, 0))) {
            ImageRef ref = writer.writeImage("ram", input).ref();
            writer.finish(new TreeMap<>());
            return ref;
        }
    }

    /** Each chunk differs from all others; those before a limit differ from those of another limit, too. */
    private record EveryChunk(long lengthBytes, long changedBytes) implements org.stillcut.store.image.ImageSource {
        @Override
        public void read(long offsetBytes, java.nio.ByteBuffer target) {
            long offset = offsetBytes;
            while (target.hasRemaining()) {
                target.putLong(offset / 4096 * 2 + (offset < changedBytes ? 1 : 0) + 1);
                offset += Long.BYTES;
            }
        }
    }
}
