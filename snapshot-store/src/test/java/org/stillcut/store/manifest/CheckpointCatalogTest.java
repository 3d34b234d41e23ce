package org.stillcut.store.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.io.Frame;
import org.stillcut.store.io.SimulatedFiles;

class CheckpointCatalogTest {

    private static final Instant CREATED = Instant.parse("2026-11-20T10:15:30.123456789Z");
    private static final Path COMMIT = Path.of("/commits/solver/0000000000000000007");

    private final SimulatedFiles files = new SimulatedFiles();
    private final CheckpointCatalog catalog = new CheckpointCatalog(files, new SplittableRandom(1), Path.of("/"));

    @BeforeEach
    void create() throws StoreException {
        catalog.create();
    }

    @Test
    void snapshotComesBack() throws StoreException {
        SnapshotManifest manifest = snapshot(7, 0);
        SnapshotRef ref = catalog.writeSnapshot(manifest);
        assertThat(catalog.readSnapshot(ref)).isEqualTo(manifest);
        assertThat(catalog.writeSnapshot(manifest)).isEqualTo(ref);
    }

    @Test
    void committedCheckpointExists() throws StoreException {
        CheckpointManifest checkpoint = checkpoint(7);
        assertThat(catalog.findCheckpoint("solver", 7)).isEmpty();
        assertThat(catalog.listCheckpoints("solver")).isEmpty();
        catalog.commit(checkpoint);
        catalog.commit(checkpoint(10));
        assertThat(catalog.findCheckpoint("solver", 7)).contains(checkpoint);
        assertThat(catalog.listCheckpoints("solver")).containsExactly(7L, 10L);
        assertThat(catalog.listJobs()).containsExactly("solver");
    }

    @Test
    void repeatOfACommitChangesNothing() throws StoreException {
        CheckpointManifest checkpoint = checkpoint(7);
        catalog.commit(checkpoint);
        byte[] before = files.content(COMMIT);
        catalog.commit(checkpoint);
        assertThat(files.content(COMMIT)).isEqualTo(before);
        assertThat(files.list(Path.of("/commits/solver"))).containsExactly("0000000000000000007");
    }

    @Test
    void differentCommitUnderTheSameNumberIsRefused() throws StoreException {
        CheckpointManifest checkpoint = checkpoint(7);
        catalog.commit(checkpoint);
        CheckpointManifest other =
                new CheckpointManifest("solver", 7, 2, CREATED, checkpoint.snapshots(), new TreeMap<>());
        assertThatExceptionOfType(StoreConflictException.class).isThrownBy(() -> catalog.commit(other));
        assertThat(catalog.findCheckpoint("solver", 7)).contains(checkpoint);
    }

    @Test
    void commitNeedsEverySnapshot() throws StoreException {
        TreeMap<Integer, SnapshotRef> refs = new TreeMap<>(checkpoint(7).snapshots());
        refs.put(2, new SnapshotRef("ab".repeat(32)));
        CheckpointManifest incomplete = new CheckpointManifest("solver", 7, 1, CREATED, refs, new TreeMap<>());
        assertThatExceptionOfType(StoreMissingException.class).isThrownBy(() -> catalog.commit(incomplete));
        assertThat(catalog.listJobs()).isEmpty();
    }

    @Test
    void commitRefusesSnapshotOfAnotherCheckpointOrVm() throws StoreException {
        CheckpointManifest other =
                new CheckpointManifest("solver", 8, 1, CREATED, checkpoint(7).snapshots(), new TreeMap<>());
        assertThatExceptionOfType(StoreConflictException.class).isThrownBy(() -> catalog.commit(other));
        TreeMap<Integer, SnapshotRef> swapped = new TreeMap<>();
        swapped.put(1, catalog.writeSnapshot(snapshot(7, 0)));
        assertThatExceptionOfType(StoreConflictException.class)
                .isThrownBy(() ->
                        catalog.commit(new CheckpointManifest("solver", 7, 1, CREATED, swapped, new TreeMap<>())));
    }

    @Test
    void temporaryAndForeignFilesAreNotListed() throws StoreException {
        catalog.commit(checkpoint(7));
        files.create(Path.of("/commits/solver/tmp-0011")).close();
        files.create(Path.of("/commits/solver/8")).close();
        files.createDirectory(Path.of("/commits/empty"));
        files.create(Path.of("/commits/tmp-0011")).close();
        assertThat(catalog.listCheckpoints("solver")).containsExactly(7L);
        assertThat(catalog.listJobs()).containsExactly("solver");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".hidden", "..", "a/b", "a b", "ä", "a\n"})
    void badJobNamesAreRefused(String job) {
        assertThatIllegalArgumentException().isThrownBy(() -> catalog.listCheckpoints(job));
        assertThatIllegalArgumentException().isThrownBy(() -> catalog.findCheckpoint(job, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new SnapshotIdentity(job, 1, 1, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new SnapshotIdentity("x".repeat(65), 1, 1, 0));
    }

    @Test
    void damagedRecordsAreTold() throws StoreException {
        catalog.commit(checkpoint(7));
        byte[] whole = files.content(COMMIT);
        for (int length = 0; length < whole.length; length += 7) {
            files.overwrite(COMMIT, Arrays.copyOf(whole, length));
            assertDamage(Damage.SHORT);
        }
        files.overwrite(COMMIT, whole);
        files.flipBit(COMMIT, whole.length - 2);
        assertDamage(Damage.CHECKSUM);
        files.overwrite(COMMIT, new Frame("STILCKPT", 2, 100).wrap(new byte[0]));
        assertThatExceptionOfType(StoreFormatException.class).isThrownBy(() -> catalog.findCheckpoint("solver", 7));
        files.overwrite(COMMIT, new byte[(16 << 20) + 49]);
        assertDamage(Damage.OVERSIZED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "[]",
                "null",
                "{}",
                "{} {}",
                "{\"job\":\"a\",\"job\":\"b\"}",
                "{\"job\":\"../x\",\"sequence\":7,\"epoch\":1,\"created\":\"2026-01-01T00:00:00Z\",\"snapshots\":{},\"attributes\":{}}",
                "{\"job\":\"solver\",\"sequence\":\"7\",\"epoch\":1}",
                "{\"job\":\"solver\",\"sequence\":1e300,\"epoch\":1}",
                "{\"job\":\"solver\",\"sequence\":7,\"epoch\":1,\"created\":\"today\"}",
                "{\"job\":\"solver\",\"sequence\":7,\"epoch\":1,\"created\":\"2026-01-01T00:00:00Z\",\"snapshots\":{\"x\":\"00\"},\"attributes\":{}}",
            })
    void malformedPayloadIsTold(String json) throws StoreException {
        catalog.commit(checkpoint(7));
        files.overwrite(COMMIT, ManifestCodec.COMMIT.wrap(json.getBytes(StandardCharsets.UTF_8)));
        assertDamage(Damage.MALFORMED);
    }

    @Test
    void recordOfAnotherJobUnderThisNameIsRefused() throws StoreException {
        catalog.commit(checkpoint(7));
        catalog.commit(checkpoint(8));
        files.overwrite(COMMIT, files.content(Path.of("/commits/solver/0000000000000000008")));
        assertDamage(Damage.MALFORMED);
    }

    @Test
    void snapshotUnderAnotherDigestIsRefused() throws StoreException {
        SnapshotRef first = catalog.writeSnapshot(snapshot(7, 0));
        SnapshotRef second = catalog.writeSnapshot(snapshot(7, 1));
        files.overwrite(
                Path.of("/manifests/" + first.digest()), files.content(Path.of("/manifests/" + second.digest())));
        assertThatExceptionOfType(StoreCorruptException.class)
                .isThrownBy(() -> catalog.readSnapshot(first))
                .matches(e -> e.damage() == Damage.CHECKSUM);
    }

    private void assertDamage(Damage damage) {
        assertThatExceptionOfType(StoreCorruptException.class)
                .isThrownBy(() -> catalog.findCheckpoint("solver", 7))
                .matches(e -> e.damage() == damage, damage.name());
    }

    private CheckpointManifest checkpoint(long sequence) throws StoreException {
        TreeMap<Integer, SnapshotRef> refs = new TreeMap<>();
        refs.put(0, catalog.writeSnapshot(snapshot(sequence, 0)));
        refs.put(1, catalog.writeSnapshot(snapshot(sequence, 1)));
        TreeMap<String, String> attributes = new TreeMap<>(Map.of("job", "{\"ranks\":2}", "note", "ünïcode \" \\ \n"));
        return new CheckpointManifest("solver", sequence, 1, CREATED, refs, attributes);
    }

    private static SnapshotManifest snapshot(long sequence, int vm) {
        TreeMap<String, ImageRef> images = new TreeMap<>();
        images.put("ram", new ImageRef(new ChunkId(-1, 2, -3, 4), 1L << 40));
        images.put("device", new ImageRef(new ChunkId(1, 2, 3, 4), 0));
        TreeMap<String, String> attributes = new TreeMap<>(Map.of("machine", "{}"));
        return new SnapshotManifest(new SnapshotIdentity("solver", sequence, 1, vm), CREATED, images, attributes);
    }
}
