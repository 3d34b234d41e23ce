package org.stillcut.store.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;
import org.stillcut.store.StoreFullException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.index.InMemoryChunkIndex;
import org.stillcut.store.io.SimulatedFiles;
import org.stillcut.store.io.SimulatedFiles.Fault;
import org.stillcut.store.progress.Progress;
import org.stillcut.store.transfer.ExportReport;

/** Checkpoints in a file: from one repository to another, whole or not at all. */
class TransferTest {

    private static final Path FROM = Path.of("/from");
    private static final Path TO = Path.of("/to");
    private static final Path FILE = Path.of("/checkpoint");
    private static final CheckpointRef SECOND = new CheckpointRef("heat", 2);
    private static final StoreOptions OPTIONS =
            StoreOptions.DEFAULT.withPackTargetBytes(64 << 10).withWorkerThreads(1);

    private final SimulatedFiles disk = new SimulatedFiles();
    private final SplittableRandom random = new SplittableRandom(8);
    private final ModelStore model = new ModelStore();

    @BeforeEach
    void writeAndExport() throws StoreException {
        Repository.create(FROM, environment());
        Repository.create(TO, environment());
        try (Repository repository = open(FROM)) {
            for (int i = 0; i < 3; i++) {
                model.checkpoint(repository, model.job("heat"), random);
            }
            ExportReport report = repository.exportTo(FILE, SECOND, Progress.NONE);
            assertThat(report.checkpoint()).isEqualTo(SECOND);
            assertThat(report.fileBytes()).isEqualTo(disk.content(FILE).length);
        }
    }

    @Test
    void checkpointComesBackInAnotherRepository() throws StoreException {
        try (Repository repository = open(TO)) {
            assertThat(repository
                            .importFrom(FILE, Optional.empty(), Progress.NONE)
                            .checkpoint())
                    .isEqualTo(SECOND);
            assertThat(ModelStore.content(repository, SECOND)).isEqualTo(model.possible.get(SECOND));
            assertThat(repository.catalog().listCheckpoints("heat")).containsExactly(2L);
            assertThat(repository.verify(true, Progress.NONE).isWhole()).isTrue();
            // Again, and under another name: both cost nothing.
            assertThat(repository
                            .importFrom(FILE, Optional.empty(), Progress.NONE)
                            .storedBytes())
                    .isZero();
            CheckpointRef other = new CheckpointRef("other", 2);
            assertThat(repository
                            .importFrom(FILE, Optional.of("other"), Progress.NONE)
                            .checkpoint())
                    .isEqualTo(other);
            assertThat(ModelStore.content(repository, other)).isEqualTo(model.possible.get(SECOND));
        }
    }

    @Test
    void everyDamageOfTheFileIsRefusedAndLeavesNoCheckpoint() throws StoreException {
        byte[] content = disk.content(FILE);
        for (int i = 0; i < 300; i++) {
            byte[] flipped = content.clone();
            int at = i < 100 ? i : random.nextInt(content.length);
            flipped[at] ^= (byte) (1 + random.nextInt(255));
            refuse(flipped, "flip at " + at);
            refuse(Arrays.copyOf(content, at), "cut at " + at);
        }
        refuse(Arrays.copyOf(content, content.length + 1), "one byte too many");
    }

    private void refuse(byte[] content, String situation) throws StoreException {
        disk.overwrite(FILE, content);
        try (Repository repository = open(TO)) {
            assertThatExceptionOfType(StoreException.class)
                    .as(situation)
                    .isThrownBy(() -> repository.importFrom(FILE, Optional.empty(), Progress.NONE))
                    .matches(e -> e instanceof StoreCorruptException || e instanceof StoreFormatException);
            assertThat(repository.catalog().listJobs()).as(situation).isEmpty();
        }
    }

    @Test
    void nameThatIsTakenIsRefused() throws StoreException {
        try (Repository repository = open(FROM)) {
            assertThatExceptionOfType(StoreConflictException.class)
                    .isThrownBy(() -> repository.exportTo(FILE, SECOND, Progress.NONE));
            assertThatExceptionOfType(StoreMissingException.class)
                    .isThrownBy(
                            () -> repository.exportTo(Path.of("/none"), new CheckpointRef("heat", 9), Progress.NONE));
        }
    }

    @Test
    void fullDiskLeavesNeitherFileNorCheckpoint() throws StoreException {
        try (Repository repository = open(TO)) {
            disk.failAt(20, Fault.DISK_FULL);
            assertThatExceptionOfType(StoreFullException.class)
                    .isThrownBy(() -> repository.importFrom(FILE, Optional.empty(), Progress.NONE));
            disk.makeRoom();
            assertThat(repository.catalog().listJobs()).isEmpty();
            repository.importFrom(FILE, Optional.empty(), Progress.NONE);
        }
        Path again = Path.of("/again");
        try (Repository repository = open(FROM)) {
            disk.failAt(6, Fault.DISK_FULL);
            assertThatExceptionOfType(StoreFullException.class)
                    .isThrownBy(() -> repository.exportTo(again, SECOND, Progress.NONE));
            disk.makeRoom();
            assertThat(disk.list(Path.of("/"))).containsExactly("checkpoint", "from", "to");
        }
    }

    private Repository open(Path root) throws StoreException {
        return Repository.open(root, new InMemoryChunkIndex(), OPTIONS, environment());
    }

    private StoreEnvironment environment() {
        return new StoreEnvironment(disk, random.split(), () -> Instant.EPOCH);
    }
}
