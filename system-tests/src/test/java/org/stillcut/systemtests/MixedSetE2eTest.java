package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreException;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.StoreEnvironment;

/**
 * A checkpoint put together from snapshots of two is refused by what its VMs show, before anything of the job runs; the job does
 * not hang, it goes on from the one before.
 */
@Tag("e2e")
class MixedSetE2eTest {
    private static final Duration STEP = Duration.ofMinutes(3);
    private static final int MESSAGES = 60_000;

    @Test
    void aSnapshotOfAnotherCheckpointIsNamedAndTheJobGoesOnFromAnHonestOne() throws Exception {
        Path root = Cluster.projectRoot();
        try (Cluster cluster = Cluster.start(root, Cluster.Options.of(root, 2, 1))) {
            Path directory = Files.createDirectory(cluster.home().resolve("job"));
            DemoProgram.STORM.stage(root.resolve("build"), directory);
            List<String> storm = List.of("--ckpt", "-np", "2", "./storm", "--messages", Integer.toString(MESSAGES));
            String job;
            try (MpirunRun run = cluster.mpirun(directory, storm)) {
                job = run.jobId(STEP);
                run.awaitStdout("the storm's first line", STEP, DemoProgram.STORM::isProgress);
                for (int i = 0; i < 2; i++) {
                    Commands.Result result = cluster.stillcut("checkpoint", job);
                    assertThat(result.exitStatus()).as(result.stderr()).isZero();
                }
                Commands.Result cancelled = cluster.stillcut("cancel", job);
                assertThat(cancelled.exitStatus()).as(cancelled.stderr()).isZero();
                run.awaitExit(STEP);
            }
            mix(cluster.repository(), job);
            assertThat(cluster.stillcut("restart", job + "@3").exitStatus()).isZero();
            Commands.Result whole = cluster.stillcut("attach", job);
            assertThat(whole.exitStatus()).as(whole.stderr()).isZero();
            assertThat(whole.stdout()).contains("storm: ok sent " + 2 * MESSAGES + " received " + 2 * MESSAGES);
            List<String> story =
                    cluster.json("status", job).path("job").path("events").findValuesAsText("text");
            assertThat(story)
                    .anySatisfy(text -> assertThat(text)
                            .contains("vm1 has other connections or counters")
                            .doesNotContain("\n"))
                    .anyMatch(text -> text.startsWith("restarting from " + job + "@2 as epoch 3"))
                    .noneMatch(text -> text.startsWith("running, epoch 2,"));
        }
    }

    /**
     * Writes a third checkpoint: the second, digests and all, but with the first one's snapshot of VM 1. As the store refuses to mix
     * them as they are, each snapshot gets a manifest that claims to be of the third.
     */
    private static void mix(Path repository, String job) throws StoreException {
        CheckpointCatalog catalog = Repository.openCatalog(repository, StoreEnvironment.system());
        CheckpointManifest first = catalog.findCheckpoint(job, 1).orElseThrow();
        CheckpointManifest second = catalog.findCheckpoint(job, 2).orElseThrow();
        SortedMap<Integer, SnapshotRef> mixed = new TreeMap<>(second.snapshots());
        mixed.put(1, first.snapshot(1));
        assertThatExceptionOfType(StoreConflictException.class).isThrownBy(() -> catalog.commit(third(second, mixed)));
        for (Map.Entry<Integer, SnapshotRef> entry : new TreeMap<>(mixed).entrySet()) {
            SnapshotManifest honest = catalog.readSnapshot(entry.getValue());
            SnapshotIdentity claimed = new SnapshotIdentity(job, 3, second.epoch(), entry.getKey());
            SnapshotManifest forged =
                    new SnapshotManifest(claimed, honest.created(), honest.images(), honest.attributes());
            mixed.put(entry.getKey(), catalog.writeSnapshot(forged));
        }
        catalog.commit(third(second, mixed));
    }

    private static CheckpointManifest third(CheckpointManifest second, SortedMap<Integer, SnapshotRef> snapshots) {
        return new CheckpointManifest(
                second.job(), 3, second.epoch(), second.created().plusSeconds(1), snapshots, second.attributes());
    }
}
