package org.stillcut.agent.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.agent.disk.BaseContent;
import org.stillcut.agent.linux.DataRanges;
import org.stillcut.agent.qemu.LabVm;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.VmId;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreFullException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.repository.StoreEnvironment;

/** Cuts with real RAM files and real layers of a disk, through a real repository and back. */
@Timeout(60)
class SnapshotVaultIT {

    private static final int RAM_BYTES = 4 << 20;
    private static final int CLUSTER = 64 << 10;
    private static final JobId JOB = new JobId("job");
    private static final VmId VM0 = new VmId(0);

    @TempDir
    Path store;

    @TempDir
    Path disks;

    private Path shared;
    private Path ramFile;
    private RamCapture ram;
    private FrozenDisk disk;
    private StandInVault vault;
    private byte[] deviceState = new byte[300_000];

    @BeforeEach
    void vmAndRepository() throws Exception {
        shared = LabVm.directory();
        ramFile = shared.resolve("ram");
        try (RandomAccessFile file = new RandomAccessFile(ramFile.toFile(), "rw")) {
            file.setLength(RAM_BYTES);
        }
        writeRam(0, noise(200_000, 1));
        writeRam(3 << 20, noise(5000, 2));
        ram = RamCapture.ofBooted(ramFile, RAM_BYTES, new AllPagesTracker(ramFile));
        ram.cut();
        disk = new FrozenDisk(disks, BaseContent.NEW);
        deviceState = noise(300_000, 3);
        vault = StandInVault.in(store);
    }

    @AfterEach
    void close() throws Exception {
        ram.close();
        disk.close();
        vault.close();
        LabVm.delete(shared);
    }

    private SnapshotVault.Stored store(long sequence, Optional<ImageRef> base) throws Exception {
        Cut cut = new Cut(ram, ByteBuffer.wrap(deviceState), disk.chain(), base);
        return vault.vault()
                .store(
                        new SnapshotIdentity(JOB.value(), sequence, 1, 0),
                        cut,
                        new TreeMap<>(Map.of("machine.cpu", "max")),
                        Optional.empty());
    }

    private SnapshotManifest committed(long sequence, SnapshotRef reference) throws Exception {
        vault.repository()
                .catalog()
                .commit(new CheckpointManifest(
                        JOB.value(), sequence, 1, Instant.EPOCH, new TreeMap<>(Map.of(0, reference)), new TreeMap<>()));
        return vault.vault().find(new CheckpointId(JOB, sequence), VM0);
    }

    @Test
    void cutComesBackBitForBitWithItsHoles() throws Exception {
        disk.write(3 * CLUSTER, CLUSTER, 0x33);
        disk.freeze();
        SnapshotManifest snapshot = committed(1, store(1, Optional.empty()).reference());

        Path ramBack = shared.resolve("ram.back");
        vault.vault().createRam(snapshot, ramBack);
        vault.vault().loadRam(snapshot, ramBack);
        assertThat(Files.mismatch(ramFile, ramBack)).isEqualTo(-1);
        assertThat(DataRanges.of(ramBack)).as("what was never used").doesNotContain(new DataRanges.Range(0, RAM_BYTES));
        assertThat(permissions(ramBack)).isEqualTo("rw-------");

        Path diskBack = disks.resolve("back.raw");
        vault.vault().loadDisk(snapshot, diskBack);
        assertThat(clusters(diskBack)).isEqualTo(Map.of(3, 0x33));
        assertThat(diskBack).hasSize(FrozenDisk.SIZE_BYTES);
        assertThat(permissions(diskBack)).isEqualTo("rw-------");

        assertThat(vault.vault().loadDeviceState(snapshot)).isEqualTo(deviceState);
        assertThat(snapshot.attributes()).containsEntry("machine.cpu", "max").containsKey("stored.bytes");
    }

    @Test
    void loadingReplacesWhatWasThere() throws Exception {
        disk.freeze();
        SnapshotManifest snapshot = committed(1, store(1, Optional.empty()).reference());
        Path back = shared.resolve("ram.back");
        Files.write(back, noise(2 * RAM_BYTES, 9));
        vault.vault().createRam(snapshot, back);
        vault.vault().loadRam(snapshot, back);
        assertThat(Files.mismatch(ramFile, back)).isEqualTo(-1);
    }

    @Test
    void nextSnapshotOfDiskBuildsOnTheStoredOneAndCostsWhatChanged() throws Exception {
        disk.write(1 * CLUSTER, 4 * CLUSTER, 0x11);
        disk.freeze();
        SnapshotVault.Stored first = store(1, Optional.empty());
        disk.chain().markPersisted(disk.chain().unpersisted().getLast());

        disk.write(2 * CLUSTER + 512, 1024, 0x22);
        disk.discard(3 * CLUSTER, CLUSTER);
        disk.write(200 * CLUSTER, CLUSTER, 0x44);
        disk.freeze();
        writeRam(1 << 20, noise(100, 4));
        ram.cut();
        SnapshotVault.Stored second = store(2, Optional.of(first.disk()));

        SnapshotManifest snapshot = committed(2, second.reference());
        Path back = disks.resolve("back.raw");
        assertThat(vault.vault().loadDisk(snapshot, back)).isEqualTo(second.disk());
        byte[] bytes = Files.readAllBytes(back);
        assertThat(bytes[1 * CLUSTER]).isEqualTo((byte) 0x11);
        assertThat(bytes[2 * CLUSTER + 511]).isEqualTo((byte) 0x11);
        assertThat(bytes[2 * CLUSTER + 512]).isEqualTo((byte) 0x22);
        assertThat(bytes[2 * CLUSTER + 1536]).isEqualTo((byte) 0x11);
        assertThat(Arrays.copyOfRange(bytes, 3 * CLUSTER, 4 * CLUSTER)).containsOnly(0);
        assertThat(bytes[4 * CLUSTER]).isEqualTo((byte) 0x11);
        assertThat(bytes[200 * CLUSTER]).isEqualTo((byte) 0x44);
        long cost = Long.parseLong(snapshot.attributes().getOrDefault("stored.bytes", "-1"));
        assertThat(cost).as("bytes of the second snapshot").isBetween(1L, 200_000L);
        vault.vault().createRam(snapshot, shared.resolve("ram.back"));
        vault.vault().loadRam(snapshot, shared.resolve("ram.back"));
        assertThat(Files.mismatch(ramFile, shared.resolve("ram.back"))).isEqualTo(-1);
    }

    @Test
    void layersOfFailedCheckpointAreInTheNextOne() throws Exception {
        disk.write(0, CLUSTER, 0x11);
        disk.freeze();
        SnapshotVault.Stored first = store(1, Optional.empty());
        disk.chain().markPersisted(disk.chain().unpersisted().getLast());
        disk.write(5 * CLUSTER, CLUSTER, 0x55);
        disk.freeze();
        disk.write(6 * CLUSTER, CLUSTER, 0x66);
        disk.freeze();
        SnapshotManifest snapshot =
                committed(3, store(3, Optional.of(first.disk())).reference());
        Path back = disks.resolve("back.raw");
        vault.vault().loadDisk(snapshot, back);
        assertThat(clusters(back)).isEqualTo(Map.of(0, 0x11, 5, 0x55, 6, 0x66));
    }

    @Test
    void checkpointThatWasNeverCommittedIsMissing() throws Exception {
        disk.freeze();
        store(1, Optional.empty());
        assertThatThrownBy(() -> vault.vault().find(new CheckpointId(JOB, 1), VM0))
                .isInstanceOf(StoreMissingException.class)
                .hasMessageContaining("job@1");
    }

    @Test
    void vmThatCheckpointDoesNotHaveIsMissing() throws Exception {
        disk.freeze();
        committed(1, store(1, Optional.empty()).reference());
        assertThatThrownBy(() -> vault.vault().find(new CheckpointId(JOB, 1), new VmId(7)))
                .isInstanceOf(StoreMissingException.class)
                .hasMessageContaining("7");
    }

    @Test
    void damagedChunksAreFoundBeforeTheyAreUsed() throws Exception {
        disk.freeze();
        SnapshotManifest snapshot = committed(1, store(1, Optional.empty()).reference());
        vault.close();
        for (Path pack : packs()) {
            damagePayloads(pack);
        }
        vault = StandInVault.in(store);
        vault.vault().createRam(snapshot, shared.resolve("back"));
        assertThatThrownBy(() -> vault.vault().loadRam(snapshot, shared.resolve("back")))
                .isInstanceOf(StoreCorruptException.class);
        assertThatThrownBy(() -> vault.vault().loadDeviceState(snapshot)).isInstanceOf(StoreCorruptException.class);
    }

    @Test
    void lostPackIsMissing() throws Exception {
        disk.freeze();
        SnapshotManifest snapshot = committed(1, store(1, Optional.empty()).reference());
        vault.close();
        for (Path pack : packs()) {
            Files.delete(pack);
        }
        vault = StandInVault.in(store);
        vault.vault().createRam(snapshot, shared.resolve("back"));
        assertThatThrownBy(() -> vault.vault().loadRam(snapshot, shared.resolve("back")))
                .isInstanceOf(StoreMissingException.class);
    }

    @Test
    void storeWithoutRoomSaysSoAndTakesTheSnapshotOnceThereIs() throws Exception {
        vault.close();
        StoreEnvironment system = StoreEnvironment.system();
        NarrowFiles narrow = new NarrowFiles(system.files());
        vault = StandInVault.in(store, new StoreEnvironment(narrow, system.random(), system.clock()));
        disk.write(0, CLUSTER, 0x11);
        disk.freeze();
        narrow.full = true;
        assertThatThrownBy(() -> store(1, Optional.empty())).isInstanceOf(StoreFullException.class);
        narrow.full = false;
        SnapshotManifest snapshot = committed(1, store(1, Optional.empty()).reference());
        assertThat(vault.vault().loadDeviceState(snapshot)).isEqualTo(deviceState);
    }

    @Test
    void deviceStateLargerThanAnyMachineHasIsDamage() throws Exception {
        disk.freeze();
        deviceState = new byte[(64 << 20) + 1];
        SnapshotManifest snapshot = committed(1, store(1, Optional.empty()).reference());
        assertThatThrownBy(() -> vault.vault().loadDeviceState(snapshot))
                .isInstanceOf(StoreCorruptException.class)
                .hasMessageContaining("OVERSIZED");
    }

    private List<Path> packs() throws Exception {
        try (var files = Files.walk(store.resolve("repository/packs"))) {
            return files.filter(file -> file.toString().endsWith(".pack")).toList();
        }
    }

    /** Changes a byte in the payload of each record, where the format (docs/store-format.md) says it is. */
    private static void damagePayloads(Path pack) throws Exception {
        try (FileChannel file = FileChannel.open(pack, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer record = ByteBuffer.allocate(52);
            for (long at = 32; file.read(record.clear(), at) == 52 && record.getInt(0) == 0x43484e4b; ) {
                int stored = record.getInt(12);
                ByteBuffer one = ByteBuffer.allocate(1);
                int count = file.read(one, at + 52 + stored / 2);
                assertThat(count).isEqualTo(1);
                one.put(0, (byte) (one.get(0) ^ 0x10)).rewind();
                assertThat(file.write(one, at + 52 + stored / 2)).isEqualTo(1);
                at += 52 + stored;
            }
        }
    }

    private static Map<Integer, Integer> clusters(Path raw) throws Exception {
        byte[] bytes = Files.readAllBytes(raw);
        Map<Integer, Integer> clusters = new TreeMap<>();
        for (int i = 0; i < bytes.length; i += CLUSTER) {
            byte[] cluster = Arrays.copyOfRange(bytes, i, i + CLUSTER);
            assertThat(cluster).containsOnly(cluster[0]);
            if (cluster[0] != 0) {
                clusters.put(i / CLUSTER, (int) cluster[0]);
            }
        }
        return clusters;
    }

    private static String permissions(Path file) throws Exception {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    private void writeRam(int offset, byte[] data) throws Exception {
        try (RandomAccessFile file = new RandomAccessFile(ramFile.toFile(), "rw")) {
            file.seek(offset);
            file.write(data);
        }
    }

    private static byte[] noise(int length, long seed) {
        byte[] data = new byte[length];
        new Random(seed).nextBytes(data);
        return data;
    }
}
