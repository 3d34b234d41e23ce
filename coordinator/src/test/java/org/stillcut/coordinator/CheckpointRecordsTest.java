package org.stillcut.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.catalog.SampleJob;
import org.stillcut.coordinator.job.CheckpointFacts;
import org.stillcut.coordinator.job.CommitException;
import org.stillcut.coordinator.job.Quiescence;
import org.stillcut.coordinator.job.Stage;
import org.stillcut.coordinator.job.StageTimes;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.coordinator.CoordinatorProtocol;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.StoreException;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.StoreEnvironment;

class CheckpointRecordsTest {
    private static final JobId JOB = new JobId("solver-0001");
    private static final Quiescence QUIESCENCE =
            new Quiescence(true, "", "one rank computes", 6, 7, 8, 9, 1, new TreeMap<>(Map.of(0, -5L, 1, 6L)));
    private static final CheckpointFacts FACTS = new CheckpointFacts(
            new StageTimes(
                    Optional.of(Instant.parse("2026-03-01T10:00:00.000123Z")),
                    Map.of(Stage.PREPARE, Duration.ofMillis(20), Stage.FREEZE, Duration.ofNanos(1_234_000))),
            QUIESCENCE);

    @TempDir
    private Path directory;

    private final SteppingClock clock = new SteppingClock();
    private final JobDescription description = SampleJob.ofVms(2).description();
    private final Job job =
            CoordinatorProtocol.create(JOB, placement(), 0).next().job();
    private CheckpointCatalog repository = new CheckpointCatalog(
            StoreEnvironment.system().files(), StoreEnvironment.system().random(), Path.of("absent"));
    private CheckpointRecords records = new CheckpointRecords(repository, clock);

    @BeforeEach
    void create() throws StoreException {
        Repository.create(directory.resolve("repository"), StoreEnvironment.system());
        repository = Repository.openCatalog(directory.resolve("repository"), StoreEnvironment.system());
        records = new CheckpointRecords(repository, clock);
    }

    private static Placement placement() {
        SortedMap<AgentId, SortedSet<VmId>> vms = new TreeMap<>();
        vms.put(new AgentId("a"), new TreeSet<>(List.of(new VmId(0))));
        vms.put(new AgentId("b"), new TreeSet<>(List.of(new VmId(1))));
        return new Placement(vms);
    }

    private static CheckpointId id(long sequence) {
        return new CheckpointId(JOB, sequence);
    }

    /** What the agents have made durable for a checkpoint. */
    private SortedMap<VmId, SnapshotRef> snapshots(long sequence, String storedBytes) throws StoreException {
        SortedMap<VmId, SnapshotRef> references = new TreeMap<>();
        for (VmId vm : job.placement().vms()) {
            SortedMap<String, String> attributes = new TreeMap<>(Map.of("stored.bytes", storedBytes));
            references.put(
                    vm,
                    new SnapshotRef(repository
                            .writeSnapshot(new SnapshotManifest(
                                    new SnapshotIdentity(JOB.value(), sequence, 1, vm.index()),
                                    clock.instant(),
                                    new TreeMap<>(),
                                    attributes))
                            .digest()));
        }
        return references;
    }

    private void commit(long sequence, SortedMap<VmId, SnapshotRef> snapshots) throws CommitException {
        records.commit(id(sequence), job, description, snapshots, FACTS);
    }

    private Path recordOf(long sequence) {
        return directory.resolve(String.format("repository/commits/%s/%019d", JOB, sequence));
    }

    @Test
    void committedCheckpointIsFoundWithAllThatIsKnownOfIt() throws Exception {
        commit(1, snapshots(1, "4096"));
        CheckpointRecords.Recorded found = records.find(id(1)).orElseThrow();
        assertThat(found.description()).isEqualTo(description);
        assertThat(found.facts()).isEqualTo(FACTS);
        assertThat(records.sealedDigests(id(1))).isEqualTo(Map.of(new VmId(0), -5L, new VmId(1), 6L));
        assertThat(found.parts())
                .containsExactly(
                        new CheckpointRecords.Part(0, "a", 0, 4096), new CheckpointRecords.Part(1, "b", 0, 4096));
        assertThat(found.manifest().epoch()).isEqualTo(1);
        assertThat(found.manifest().created()).isEqualTo(clock.instant());
    }

    @Test
    void newestAndListKnowWhatExists() throws Exception {
        assertThat(records.newest(JOB)).isEmpty();
        assertThat(records.find(id(1))).isEmpty();
        assertThat(records.list(Optional.empty())).isEmpty();
        commit(1, snapshots(1, "0"));
        commit(10, snapshots(10, "0"));
        commit(9, snapshots(9, "0"));
        assertThat(records.newest(JOB)).contains(id(10));
        assertThat(records.list(Optional.of(JOB))).containsExactly(id(1), id(9), id(10));
        assertThat(records.list(Optional.empty())).containsExactly(id(1), id(9), id(10));
        assertThat(records.list(Optional.of(new JobId("other")))).isEmpty();
    }

    @Test
    void repeatedCommitIsHarmlessEvenLater() throws Exception {
        SortedMap<VmId, SnapshotRef> snapshots = snapshots(1, "0");
        commit(1, snapshots);
        clock.advance(Duration.ofSeconds(5));
        commit(1, snapshots);
        assertThat(records.list(Optional.of(JOB))).containsExactly(id(1));
    }

    @Test
    void anotherCheckpointOfTheSameNumberIsRejectedAndTheFirstStays() throws Exception {
        SortedMap<VmId, SnapshotRef> first = snapshots(1, "1");
        commit(1, first);
        SortedMap<VmId, SnapshotRef> second = snapshots(1, "2");
        assertThatThrownBy(() -> commit(1, second)).isInstanceOf(CommitException.class);
        assertThat(records.find(id(1)).orElseThrow().parts())
                .extracting(CheckpointRecords.Part::storedBytes)
                .containsOnly(1L);
    }

    @Test
    void commitThatFailsLeavesNothing() throws Exception {
        SortedMap<VmId, SnapshotRef> missing = new TreeMap<>(snapshots(1, "0"));
        missing.put(new VmId(1), new SnapshotRef("0".repeat(64)));
        assertThatThrownBy(() -> commit(1, missing))
                .isInstanceOfSatisfying(
                        CommitException.class,
                        e -> assertThat(e.line()).startsWith("checkpoint solver-0001@1 cannot be committed: "));
        assertThat(records.newest(JOB)).isEmpty();
    }

    @Test
    void snapshotOfAnotherVmIsRejected() throws Exception {
        SortedMap<VmId, SnapshotRef> swapped = new TreeMap<>(snapshots(1, "0"));
        SnapshotRef zero = swapped.get(new VmId(0));
        swapped.put(new VmId(1), zero == null ? new SnapshotRef("absent") : zero);
        assertThatThrownBy(() -> commit(1, swapped)).isInstanceOf(CommitException.class);
        assertThat(records.newest(JOB)).isEmpty();
    }

    /** An agent is a peer; whatever it calls its snapshot must end in an answer. */
    @Test
    void referenceThatIsNoDigestIsRejected() throws Exception {
        SortedMap<VmId, SnapshotRef> nonsense = new TreeMap<>(snapshots(1, "0"));
        nonsense.put(new VmId(1), new SnapshotRef("../../etc/passwd"));
        assertThatThrownBy(() -> commit(1, nonsense))
                .isInstanceOfSatisfying(
                        CommitException.class, e -> assertThat(e.line()).contains("not a manifest digest"));
    }

    @Test
    void damagedRecordIsToldAndNotTakenForMissing() throws Exception {
        commit(1, snapshots(1, "0"));
        byte[] bytes = Files.readAllBytes(recordOf(1));
        bytes[bytes.length / 2] ^= 1;
        Files.write(recordOf(1), bytes);
        assertThatThrownBy(() -> records.find(id(1)))
                .isInstanceOfSatisfying(
                        CommitException.class,
                        e -> assertThat(e.line()).startsWith("checkpoint solver-0001@1 cannot be read: "));
        Files.write(recordOf(1), new byte[0]);
        assertThatThrownBy(() -> records.find(id(1))).isInstanceOf(CommitException.class);
    }

    @Test
    void attributesThatNoCoordinatorWroteAreDamage() throws Exception {
        long sequence = 100;
        for (Map<String, String> attributes : List.of(
                Map.<String, String>of(),
                Map.of("job.description", "{}"),
                Map.of("job.description", "soon"),
                Map.of("stage.micros.FREEZE", "soon"))) {
            CheckpointId damaged = id(++sequence);
            SortedMap<Integer, org.stillcut.store.SnapshotRef> references = new TreeMap<>();
            snapshots(sequence, "0")
                    .forEach((vm, ref) -> references.put(vm.index(), new org.stillcut.store.SnapshotRef(ref.value())));
            repository.commit(new CheckpointManifest(
                    JOB.value(), sequence, 1, clock.instant(), references, new TreeMap<>(attributes)));
            assertThatThrownBy(() -> records.find(damaged))
                    .as(attributes.toString())
                    .isInstanceOf(CommitException.class);
        }
        assertThatThrownBy(() -> records.sealedDigests(id(101)))
                .isInstanceOfSatisfying(
                        CommitException.class,
                        e -> assertThat(e.line())
                                .isEqualTo("checkpoint solver-0001@101 cannot be read: "
                                        + "it was taken by a version that did not prove the traffic to be at rest"));
        commit(1, snapshots(1, "many"));
        assertThatThrownBy(() -> records.find(id(1))).isInstanceOf(CommitException.class);
    }

    @Test
    void newestUpToLeavesOutWhatIsNewerDistrustedOrDamaged() throws Exception {
        for (long sequence = 1; sequence <= 4; sequence++) {
            commit(sequence, snapshots(sequence, "1"));
        }
        assertThat(records.newestUpTo(id(3), new TreeSet<>())).contains(id(3));
        assertThat(records.newestUpTo(id(3), new TreeSet<>(List.of(id(3))))).contains(id(2));
        Files.write(recordOf(2), new byte[] {1});
        assertThat(records.newestUpTo(id(3), new TreeSet<>(List.of(id(3))))).contains(id(1));
        assertThat(records.newestUpTo(id(3), new TreeSet<>(List.of(id(1), id(3)))))
                .isEmpty();
    }

    @Test
    void newestOfAnIncarnationIsNotThatOfAnother() throws Exception {
        Incarnation first = new Incarnation(JOB, 1);
        assertThat(records.newestOf(first)).isEmpty();
        commit(1, snapshots(1, "1"));
        commit(2, snapshots(2, "1"));
        assertThat(records.newestOf(first)).contains(id(2));
        assertThat(records.newestOf(new Incarnation(JOB, 2))).isEmpty();
    }

    @Test
    void damagedRecordIsPassedOverForAnOlderOne() throws Exception {
        commit(1, snapshots(1, "1"));
        commit(2, snapshots(2, "1"));
        byte[] record = Files.readAllBytes(recordOf(2));
        record[record.length / 2] ^= 1;
        Files.write(recordOf(2), record);
        assertThat(records.newestOf(new Incarnation(JOB, 1))).contains(id(1));
    }
}
