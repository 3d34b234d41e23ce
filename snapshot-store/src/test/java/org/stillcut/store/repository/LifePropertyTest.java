package org.stillcut.store.repository;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.index.InMemoryChunkIndex;
import org.stillcut.store.io.SimulatedFiles;
import org.stillcut.store.io.SimulatedFiles.Fault;
import org.stillcut.store.progress.Progress;
import org.stillcut.store.prune.PruneOptions;
import org.stillcut.store.prune.PruneReport;

/**
 * Random histories of a repository that two nodes use: checkpoints, snapshots that are never committed, commits that come late, forgetting, prunes
 * beside open writers, killed nodes, power cuts. After each, every checkpoint that should be there is whole. The seed is in the failure.
 */
class LifePropertyTest {

    private static final int HISTORIES = 60;
    private static final int HISTORIES_FULL = 5_000;
    private static final Path ROOT = Path.of("/repository");
    private static final StoreOptions OPTIONS =
            StoreOptions.DEFAULT.withPackTargetBytes(64 << 10).withWorkerThreads(1);
    private static final List<String> JOBS = List.of("heat", "storm");

    @Test
    void everyRemainingCheckpointStaysWhole() {
        run(System.nanoTime(), HISTORIES);
    }

    @Test
    @Tag("full")
    void everyRemainingCheckpointStaysWholeInLongSeries() {
        run(System.nanoTime(), HISTORIES_FULL);
    }

    private static void run(long first, int count) {
        for (long seed = first; seed < first + count; seed++) {
            try {
                new History(seed).run();
            } catch (StoreException | RuntimeException | AssertionError e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    private static final class History {

        private static final int STEPS = 40;

        private final SplittableRandom random;
        private final ModelStore model = new ModelStore();
        private final List<Optional<Repository>> nodes = new ArrayList<>(List.of(Optional.empty(), Optional.empty()));
        private final List<InMemoryChunkIndex> indexes = List.of(new InMemoryChunkIndex(), new InMemoryChunkIndex());
        /** Snapshots that were written and wait for their commit. */
        private final Map<String, ModelStore.Written> waiting = new HashMap<>();

        private SimulatedFiles disk = new SimulatedFiles();

        History(long seed) {
            random = new SplittableRandom(seed);
        }

        void run() throws StoreException {
            try {
                live();
            } finally {
                buryAll();
            }
        }

        private void live() throws StoreException {
            Repository.create(ROOT, environment());
            disk.syncDirectory(Path.of("/"));
            for (int step = 0; step < STEPS; step++) {
                String action = step();
                model.check(node(random.nextInt(2)), "after step " + step + ", " + action);
            }
            checkThatEverythingCanGo();
        }

        private StoreEnvironment environment() {
            return new StoreEnvironment(disk, random.split(), () -> Instant.EPOCH);
        }

        private Repository node(int number) throws StoreException {
            if (nodes.get(number).isEmpty()) {
                nodes.set(number, Optional.of(Repository.open(ROOT, indexes.get(number), OPTIONS, environment())));
            }
            return nodes.get(number).get();
        }

        /** A job runs on one node. */
        private Repository nodeOf(ModelStore.Job job) throws StoreException {
            return node(JOBS.indexOf(job.name));
        }

        private String step() throws StoreException {
            ModelStore.Job job = model.job(JOBS.get(random.nextInt(JOBS.size())));
            return switch (random.nextInt(10)) {
                case 0, 1, 2 -> checkpoint(job);
                case 3 -> snapshot(job);
                case 4 -> commitLate(job);
                case 5 -> forgetOne();
                case 6 -> "prune " + prune(node(random.nextInt(2)));
                case 7 -> pruneBesideWriter(job);
                case 8 -> crash();
                default -> close(random.nextInt(2));
            };
        }

        private String checkpoint(ModelStore.Job job) throws StoreException {
            waiting.remove(job.name);
            return "checkpoint " + model.checkpoint(nodeOf(job), job, random);
        }

        private String snapshot(ModelStore.Job job) throws StoreException {
            waiting.put(job.name, model.snapshot(nodeOf(job), job, random));
            return "snapshot of " + job.name;
        }

        /** A commit of a snapshot that a prune took away in between fails, and then there is no checkpoint. */
        private String commitLate(ModelStore.Job job) throws StoreException {
            ModelStore.Written snapshot = waiting.remove(job.name);
            if (snapshot == null) {
                return "nothing to commit";
            }
            try {
                model.commit(node(random.nextInt(2)), snapshot);
                return "late commit of " + job.name;
            } catch (StoreMissingException e) {
                model.possible.remove(snapshot.checkpoint());
                return "late commit refused of " + job.name;
            }
        }

        private String forgetOne() throws StoreException {
            List<CheckpointRef> all = List.copyOf(model.committed.keySet());
            if (all.isEmpty()) {
                return "nothing to forget";
            }
            CheckpointRef chosen = all.get(random.nextInt(all.size()));
            model.forget(node(random.nextInt(2)), chosen);
            return "forget " + chosen;
        }

        /** The writer has begun before the prune; the prune has no patience, so it leaves all that the writer may need. */
        private String pruneBesideWriter(ModelStore.Job job) throws StoreException {
            waiting.remove(job.name);
            job.sequence++;
            SnapshotIdentity identity = new SnapshotIdentity(job.name, job.sequence, 1, 0);
            ModelStore.Written written;
            try (SnapshotWriter writer = nodeOf(job).newSnapshot(identity)) {
                PruneReport report = prune(node(random.nextInt(2)));
                assertThat(report.finished()).isFalse();
                written = model.write(writer, job, random);
            }
            prune(node(random.nextInt(2)));
            model.commit(node(random.nextInt(2)), written);
            return "prune beside a writer of " + job.name;
        }

        private PruneReport prune(Repository repository) throws StoreException {
            return repository.prune(new PruneOptions(false, random.nextInt(101), Duration.ZERO), Progress.NONE);
        }

        /** Both nodes die in the middle of something; the disk keeps all, nothing, or some of what was not forced. */
        private String crash() throws StoreException {
            disk.failAt(random.nextInt(60), Fault.POWER_CUT);
            String action = "nothing";
            try {
                for (int i = 0; i < 4; i++) {
                    action = step();
                }
            } catch (StoreException e) {
                action = "crash in: " + e.getMessage();
            }
            disk = switch (random.nextInt(3)) {
                case 0 -> disk.afterKill();
                case 1 -> disk.afterPowerCut();
                default -> disk.afterPowerCut(random.nextLong());
            };
            // Theirs is the disk before, which nobody reads any more: only their threads and memory go here.
            buryAll();
            model.forgetBases();
            return action;
        }

        /** Thousands of histories in one process must not keep what their dead nodes had. */
        private void buryAll() {
            for (int number = 0; number < nodes.size(); number++) {
                Optional<Repository> dead = nodes.get(number);
                nodes.set(number, Optional.empty());
                try {
                    if (dead.isPresent()) {
                        dead.get().close();
                    }
                } catch (StoreException e) {
                    // Its disk has failed; the threads are gone all the same.
                }
            }
        }

        private String close(int number) throws StoreException {
            if (nodes.get(number).isPresent()) {
                nodes.get(number).get().close();
                nodes.set(number, Optional.empty());
                model.job(JOBS.get(number)).base = Optional.empty();
            }
            return "close node " + number;
        }

        /** Two prunes after everything is forgotten and everybody gone leave an empty repository. */
        private void checkThatEverythingCanGo() throws StoreException {
            for (CheckpointRef checkpoint : List.copyOf(model.committed.keySet())) {
                model.forget(node(0), checkpoint);
            }
            close(0);
            close(1);
            prune(node(0));
            PruneReport second = prune(node(0));
            assertThat(second.packsKept()).as("%s", second).isZero();
            assertThat(disk.list(ROOT.resolve("manifests"))).isEmpty();
            assertThat(disk.list(ROOT.resolve("packs"))).hasSize(256);
            assertThat(disk.list(ROOT.resolve("holds"))).allMatch(name -> name.startsWith("exclusive-"));
            for (String job : disk.list(ROOT.resolve("commits"))) {
                assertThat(disk.list(ROOT.resolve("commits").resolve(job))).isEmpty();
            }
        }
    }
}
