package org.stillcut.agent.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.agent.capture.BootFiles.BootFile;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.WriteStats;
import org.stillcut.store.progress.Progress;
import org.stillcut.store.prune.PruneOptions;
import org.stillcut.store.repository.SnapshotWriter;

/** What VMs boot, through a real repository and back. */
class BootFileStoreTest {
    private static final int KERNEL_BYTES = 200_000;

    @TempDir
    Path store;

    @TempDir
    Path images;

    @TempDir
    Path elsewhere;

    private StandInVault vault;
    private BootFileStore bootFiles;
    private BootFiles files;

    @BeforeEach
    void imagesAndRepository() throws Exception {
        vault = StandInVault.in(store);
        bootFiles = new BootFileStore(vault.repository());
        files = new BootFiles(file("vmlinuz", KERNEL_BYTES), file("initrd", 1), file("base.sqfs", 3_000_000));
    }

    @AfterEach
    void close() throws Exception {
        vault.close();
    }

    private BootFile file(String name, int lengthBytes) throws Exception {
        byte[] content = new byte[lengthBytes];
        new Random(lengthBytes).nextBytes(content);
        Path file = Files.write(images.resolve(name), content);
        return new BootFile(
                file, HexFormat.of().formatHex(HashedFile.newDigest().digest(content)));
    }

    private record Written(SnapshotRef ref, WriteStats stats) {}

    private Written write(long sequence) throws Exception {
        try (SnapshotWriter writer = vault.repository().newSnapshot(new SnapshotIdentity("job", sequence, 1, 0))) {
            bootFiles.add(writer, files);
            return new Written(writer.finish(new TreeMap<>()), writer.stats());
        }
    }

    private SnapshotManifest read(Written written) throws Exception {
        return vault.repository().catalog().readSnapshot(written.ref());
    }

    private CheckpointRef commit(long sequence, Written written) throws Exception {
        vault.repository()
                .catalog()
                .commit(new CheckpointManifest(
                        "job", sequence, 1, Instant.EPOCH, new TreeMap<>(Map.of(0, written.ref())), new TreeMap<>()));
        return new CheckpointRef("job", sequence);
    }

    @Test
    void filesComeBackUnderTheirDigests() throws Exception {
        SnapshotManifest snapshot = read(write(1));
        assertThat(BootFiles.areIn(snapshot)).isTrue();

        Path boot = elsewhere.resolve("boot");
        BootFiles back = bootFiles.fetch(snapshot, files.digest(), boot);

        assertThat(back.digest()).isEqualTo(files.digest());
        assertThat(back.kernel().file()).isEqualTo(boot.resolve(files.kernel().sha256()));
        assertThat(Files.mismatch(back.kernel().file(), files.kernel().file())).isEqualTo(-1);
        assertThat(Files.mismatch(back.initrd().file(), files.initrd().file())).isEqualTo(-1);
        assertThat(Files.mismatch(back.root().file(), files.root().file())).isEqualTo(-1);
        assertThat(bootFiles.fetch(snapshot, files.digest(), boot)).isEqualTo(back);
    }

    @Test
    void nextSnapshotReadsNothing() throws Exception {
        assertThat(write(1).stats().bytesRead()).isEqualTo(KERNEL_BYTES + 1 + 3_000_000);
        Written second = write(2);
        assertThat(second.stats()).isEqualTo(WriteStats.NONE);
        assertThat(BootFiles.areIn(read(second))).isTrue();
    }

    @Test
    void filesThatWerePrunedAreStoredAgain() throws Exception {
        CheckpointRef first = commit(1, write(1));
        vault.repository().release("job", 0);
        vault.repository().keeper().forget(first);
        vault.repository().prune(PruneOptions.DEFAULT, Progress.NONE);

        Written second = write(2);
        assertThat(second.stats().bytesRead()).isEqualTo(KERNEL_BYTES + 1 + 3_000_000);
        assertThat(bootFiles.fetch(read(second), files.digest(), elsewhere).digest())
                .isEqualTo(files.digest());
    }

    @Test
    void fileThatIsNotWhatItIsSaidToBeIsRefused() throws Exception {
        Files.writeString(files.initrd().file(), "x");
        assertThatThrownBy(() -> write(1))
                .isInstanceOf(StoreCorruptException.class)
                .hasMessageContaining(files.initrd().file().toString());
    }

    @Test
    void otherContentThanTheDigestSaysIsNotBooted() throws Exception {
        SnapshotManifest snapshot = read(write(1));
        String other = files.digest().replaceFirst("^.", files.digest().startsWith("0") ? "1" : "0");
        assertThatThrownBy(() -> bootFiles.fetch(snapshot, other, elsewhere))
                .isInstanceOf(StoreCorruptException.class)
                .hasMessageContaining("has digest " + files.kernel().sha256());
        assertThat(elsewhere.resolve(other.substring(0, 64))).doesNotExist();
    }

    @Test
    void digestThatIsNoneIsDamage() throws Exception {
        SnapshotManifest snapshot = read(write(1));
        assertThatThrownBy(() -> bootFiles.fetch(snapshot, "../".repeat(64), elsewhere))
                .isInstanceOf(StoreCorruptException.class);
    }
}
