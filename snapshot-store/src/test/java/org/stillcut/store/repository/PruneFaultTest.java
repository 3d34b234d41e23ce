package org.stillcut.store.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFullException;
import org.stillcut.store.StoreIoException;
import org.stillcut.store.index.InMemoryChunkIndex;
import org.stillcut.store.io.SimulatedFiles;
import org.stillcut.store.io.SimulatedFiles.Fault;
import org.stillcut.store.progress.Progress;
import org.stillcut.store.prune.PruneOptions;
import org.stillcut.store.prune.PruneReport;

/** A power cut, a killed process or a full disk at every single change that forgetting and pruning make to the disk. */
class PruneFaultTest {

    private static final Path ROOT = Path.of("/repository");
    private static final StoreOptions OPTIONS =
            StoreOptions.DEFAULT.withPackTargetBytes(64 << 10).withWorkerThreads(1);
    private static final PruneOptions PRUNE = new PruneOptions(false, 10, Duration.ZERO);
    private static final CheckpointRef FORGOTTEN = new CheckpointRef("heat", 2);
    private static final AtomicInteger SEED = new AtomicInteger();

    private ModelStore model = new ModelStore();

    @Test
    void powerCutAnywhereLosesNothingAndLeaksOnlyWhatTheNextPruneRemoves() throws StoreException {
        long wanted = filesWithoutFault();
        int changes = changes(Fault.POWER_CUT);
        assertThat(changes).isGreaterThan(20);
        for (int change = 0; change < changes; change++) {
            SimulatedFiles disk = prepared();
            disk.failAt(change, Fault.POWER_CUT);
            assertThatExceptionOfType(StoreIoException.class).isThrownBy(() -> forgetAndPrune(disk));
            checkSurvivor(disk.afterKill(), "change " + change + ", killed", wanted);
            checkSurvivor(disk.afterPowerCut(), "change " + change + ", nothing else kept", wanted);
            for (int seed = 0; seed < 3; seed++) {
                checkSurvivor(disk.afterPowerCut(seed), "change " + change + ", seed " + seed, wanted);
            }
        }
    }

    @Test
    void fullDiskAnywhereLosesNothing() throws StoreException {
        long wanted = filesWithoutFault();
        int changes = changes(Fault.DISK_FULL);
        for (int change = 0; change < changes; change++) {
            SimulatedFiles disk = prepared();
            disk.failAt(change, Fault.DISK_FULL);
            assertThatExceptionOfType(StoreFullException.class)
                    .as("change %d", change)
                    .isThrownBy(() -> forgetAndPrune(disk));
            disk.makeRoom();
            checkSurvivor(disk, "change " + change, wanted);
        }
    }

    private int changes(Fault fault) throws StoreException {
        SimulatedFiles disk = prepared();
        disk.failAt(Integer.MAX_VALUE, fault);
        forgetAndPrune(disk);
        return disk.changes();
    }

    private long filesWithoutFault() throws StoreException {
        SimulatedFiles disk = prepared();
        forgetAndPrune(disk);
        return settle(disk);
    }

    /** Three checkpoints of one job that share, one snapshot that is never committed, and a temporary file of a dead writer. */
    private SimulatedFiles prepared() throws StoreException {
        model = new ModelStore();
        SimulatedFiles disk = new SimulatedFiles();
        Repository.create(ROOT, environment(disk));
        disk.syncDirectory(Path.of("/"));
        SplittableRandom random = new SplittableRandom(4);
        try (Repository repository = open(disk)) {
            for (int i = 0; i < 3; i++) {
                model.checkpoint(repository, model.job("heat"), random);
            }
            model.snapshot(repository, model.job("storm"), random);
        }
        disk.create(ROOT.resolve("packs").resolve("tmp-00000000000000000000000000000001"))
                .close();
        return disk;
    }

    private void forgetAndPrune(SimulatedFiles disk) throws StoreException {
        try (Repository repository = open(disk)) {
            if (model.committed.containsKey(FORGOTTEN)) {
                model.forget(repository, FORGOTTEN);
            }
            repository.prune(PRUNE, Progress.NONE);
        }
    }

    private void checkSurvivor(SimulatedFiles disk, String situation, long wantedFiles) throws StoreException {
        ModelStore before = model;
        model = new ModelStore();
        model.committed.putAll(before.committed);
        model.possible.putAll(before.possible);
        try (Repository repository = open(disk)) {
            model.check(repository, situation);
            assertThat(repository.verify(true, Progress.NONE).isWhole())
                    .as(situation)
                    .isTrue();
        }
        forgetAndPruneAgain(disk);
        assertThat(settle(disk))
                .as("%s: files after the next prunes", situation)
                .isEqualTo(wantedFiles);
        try (Repository repository = open(disk)) {
            model.check(repository, situation + ", after the next prunes");
        }
        model = before;
    }

    private void forgetAndPruneAgain(SimulatedFiles disk) throws StoreException {
        try (Repository repository = open(disk)) {
            if (repository.catalog().listCheckpoints("heat").contains(2L)) {
                model.committed.remove(FORGOTTEN);
                model.forget(repository, FORGOTTEN);
            }
            repository.prune(PRUNE, Progress.NONE);
        }
    }

    /** Prunes until nothing goes any more; returns the bytes that are left in packs and the number of files beside them. */
    private static long settle(SimulatedFiles disk) throws StoreException {
        PruneReport report;
        try (Repository repository = open(disk)) {
            repository.prune(PRUNE, Progress.NONE);
            repository.prune(new PruneOptions(false, 0, Duration.ZERO), Progress.NONE);
            report = repository.prune(new PruneOptions(false, 0, Duration.ZERO), Progress.NONE);
            assertThat(report.manifestsWaiting()).isZero();
        }
        long files = 0;
        for (String name : disk.list(ROOT)) {
            for (String child : name.equals("config") ? java.util.List.<String>of() : disk.list(ROOT.resolve(name))) {
                if (!child.startsWith("exclusive-") && child.length() != 2) {
                    files++;
                }
            }
        }
        try (Repository repository = open(disk)) {
            return repository.statistics().chunks() * 1000 + files;
        }
    }

    private static Repository open(SimulatedFiles disk) throws StoreException {
        return Repository.open(ROOT, new InMemoryChunkIndex(), OPTIONS, environment(disk));
    }

    private static StoreEnvironment environment(SimulatedFiles disk) {
        return new StoreEnvironment(disk, new SplittableRandom(SEED.incrementAndGet()), () -> Instant.EPOCH);
    }
}
