package org.stillcut.agent.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.agent.disk.BaseContent;
import org.stillcut.agent.disk.DiskChanges;
import org.stillcut.store.ByteRange;
import org.stillcut.store.image.ImageInput;

/** What the store is told of changed disks, over real qcow2 layers. */
@Timeout(60)
class DiskImageIT {

    private static final int CLUSTER = 64 << 10;
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private FrozenDisk disk;

    @BeforeEach
    void restoredDisk(@TempDir Path directory) throws Exception {
        disk = new FrozenDisk(directory, BaseContent.PERSISTED);
    }

    @AfterEach
    void close() throws Exception {
        disk.close();
    }

    @Test
    void readReachesOverTouchingExtentsOfSeveralLayers() throws Exception {
        disk.write(2 * CLUSTER, 2 * CLUSTER, 0x11);
        disk.freeze();
        disk.write(3 * CLUSTER, CLUSTER, 0x22);
        disk.discard(4 * CLUSTER, CLUSTER);
        disk.freeze();
        try (DiskChanges changes = disk.chain().changes(DEADLINE)) {
            DiskImage image = new DiskImage(FrozenDisk.SIZE_BYTES, changes);
            ByteBuffer bytes = ByteBuffer.allocate(3 * CLUSTER - 200);
            image.read(2 * CLUSTER + 100, bytes);
            assertThat(bytes.hasRemaining()).isFalse();
            assertThat(bytes.get(0)).isEqualTo((byte) 0x11);
            assertThat(bytes.get(CLUSTER - 101)).isEqualTo((byte) 0x11);
            assertThat(bytes.get(CLUSTER - 100)).isEqualTo((byte) 0x22);
            assertThat(bytes.get(2 * CLUSTER - 101)).isEqualTo((byte) 0x22);
            assertThat(bytes.get(2 * CLUSTER - 100)).isZero();
        }
    }

    @Test
    void presentIsWhatChangedZerosToo() throws Exception {
        disk.write(2 * CLUSTER, CLUSTER, 0x11);
        disk.discard(7 * CLUSTER, CLUSTER);
        disk.freeze();
        try (DiskChanges changes = disk.chain().changes(DEADLINE)) {
            DiskImage image = new DiskImage(FrozenDisk.SIZE_BYTES, changes);
            ImageInput.Sparse alone = (ImageInput.Sparse) image.over(Optional.empty());
            assertThat(alone.present())
                    .isEqualTo(List.of(new ByteRange(2 * CLUSTER, CLUSTER), new ByteRange(7 * CLUSTER, CLUSTER)));
            assertThat(alone.source().lengthBytes()).isEqualTo(FrozenDisk.SIZE_BYTES);
        }
    }

    @Test
    void whatHasNotChangedCannotBeRead() throws Exception {
        disk.write(2 * CLUSTER, CLUSTER, 0x11);
        disk.freeze();
        try (DiskChanges changes = disk.chain().changes(DEADLINE)) {
            DiskImage image = new DiskImage(FrozenDisk.SIZE_BYTES, changes);
            for (long offset : new long[] {0, 3 * CLUSTER, 3 * CLUSTER - 1}) {
                assertThatThrownBy(() -> image.read(offset, ByteBuffer.allocate(2)))
                        .isInstanceOf(IllegalArgumentException.class);
            }
        }
    }
}
