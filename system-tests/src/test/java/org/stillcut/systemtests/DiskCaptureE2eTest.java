package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.agent.capture.Pace;
import org.stillcut.agent.capture.SnapshotVault;
import org.stillcut.agent.linux.HostCommandRunner;
import org.stillcut.agent.network.JobNetwork;
import org.stillcut.agent.network.NetworkPlan;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.VmId;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.StoreEnvironment;
import org.stillcut.store.repository.StoreOptions;

/** A file system under load, cut in the middle of writes: after each restore all files have their sums, and fsck finds nothing. */
@Tag("e2e")
@Timeout(1800)
class DiskCaptureE2eTest {
    private static final Duration DEADLINE = Duration.ofSeconds(20);
    private static final JobId JOB = new JobId("disk");
    private static final VmId VM = new VmId(0);

    private final String namespace = "scdisk" + ProcessHandle.current().pid();

    @TempDir
    Path store;

    private Path directory;
    private JobNetwork network;
    private Repository repository;
    private SnapshotVault vault;
    private long sequence;

    @BeforeEach
    void open() throws Exception {
        directory = Files.createTempDirectory(Path.of("/dev/shm"), "stillcut-disk-");
        NetworkPlan plan = new NetworkPlan(namespace, LoadedGuest.MTU_BYTES, List.of("tap0"), Optional.empty());
        network = JobNetwork.create(plan, new HostCommandRunner());
        Path place = store.resolve("repository");
        Repository.create(place, StoreEnvironment.system());
        repository = Repository.open(place, store.resolve("index"), StoreOptions.DEFAULT, StoreEnvironment.system());
        vault = new SnapshotVault(repository, Pace.DEFAULT);
    }

    @AfterEach
    void close() throws Exception {
        repository.close();
        network.close();
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    @Test
    void filesAreWholeAfterEachRestore() throws Exception {
        generations(2);
    }

    @Test
    @Tag("full")
    void filesAreWholeAfterManyRestores() throws Exception {
        generations(20);
    }

    private void generations(int count) throws Exception {
        Optional<SnapshotManifest> snapshot = Optional.empty();
        for (int i = 0; i <= count; i++) {
            try (LoadedGuest guest = start(snapshot)) {
                guest.awaitRounds(12);
                cut(guest);
                guest.capture().revoke();
                guest.awaitRounds(7);
                cut(guest);
                snapshot = Optional.of(persist(guest));
                guest.awaitRounds(5);
                guest.checkFiles();
            }
            LoadedGuest.checkFileSystem(directory);
        }
        assertThat(sequence).isEqualTo(count + 1);
    }

    private LoadedGuest start(Optional<SnapshotManifest> snapshot) throws Exception {
        return snapshot.isPresent()
                ? LoadedGuest.restore(directory, namespace, vault, snapshot.get())
                : LoadedGuest.boot(directory, namespace);
    }

    private static void cut(LoadedGuest guest) throws Exception {
        guest.capture().prepare();
        guest.vm().pause(DEADLINE);
        guest.capture().cut();
        guest.vm().resume(DEADLINE);
    }

    private SnapshotManifest persist(LoadedGuest guest) throws Exception {
        sequence++;
        SnapshotIdentity identity = new SnapshotIdentity(JOB.value(), sequence, 1, VM.index());
        SnapshotRef reference = guest.capture().persist(vault, identity, new TreeMap<>(), Optional.empty());
        CheckpointManifest manifest = new CheckpointManifest(
                JOB.value(), sequence, 1, Instant.EPOCH, new TreeMap<>(Map.of(VM.index(), reference)), new TreeMap<>());
        repository.catalog().commit(manifest);
        return vault.find(new CheckpointId(JOB, sequence), VM);
    }
}
