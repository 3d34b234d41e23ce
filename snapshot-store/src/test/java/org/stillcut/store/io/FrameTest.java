package org.stillcut.store.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;

class FrameTest {

    private static final Frame FRAME = new Frame("STILTEST", 3, 100);
    private final byte[] payload = {1, 2, 3, 4, 5};
    private final byte[] file = FRAME.wrap(payload);

    @Test
    void givesBackThePayload() throws StoreException {
        assertThat(FRAME.unwrap(file, "file")).isEqualTo(payload);
        assertThat(FRAME.unwrap(FRAME.wrap(new byte[0]), "file")).isEmpty();
    }

    @Test
    void everyTruncationIsShort() {
        for (int length = 0; length < file.length; length++) {
            byte[] cut = Arrays.copyOf(file, length);
            assertDamage(cut, Damage.SHORT);
        }
    }

    @Test
    void everyFlippedByteIsRefused() {
        for (int i = 0; i < file.length; i++) {
            byte[] damaged = file.clone();
            damaged[i] ^= (byte) 0x81;
            assertThatExceptionOfType(StoreException.class)
                    .as("byte %d", i)
                    .isThrownBy(() -> FRAME.unwrap(damaged, "file"));
        }
    }

    @Test
    void tellsForeignMagicVersionChecksumAndExcess() {
        assertDamage(new Frame("STILELSE", 3, 100).wrap(payload), Damage.FOREIGN_MAGIC);
        byte[] flipped = file.clone();
        flipped[50] ^= 1;
        assertDamage(flipped, Damage.CHECKSUM);
        assertDamage(Arrays.copyOf(file, file.length + 1), Damage.MALFORMED);
        assertThatExceptionOfType(StoreFormatException.class)
                .isThrownBy(() -> FRAME.unwrap(new Frame("STILTEST", 4, 100).wrap(payload), "file"))
                .matches(e -> e.found() == 4 && e.supported() == 3);
    }

    @Test
    void oversizedLengthIsRefusedBeforeAllocation() {
        for (int length : new int[] {101, Integer.MAX_VALUE, -1}) {
            byte[] oversized = file.clone();
            ByteBuffer.wrap(oversized).putInt(12, length);
            assertDamage(oversized, Damage.OVERSIZED);
        }
        assertThatIllegalArgumentException().isThrownBy(() -> FRAME.wrap(new byte[101]));
    }

    @Test
    void oversizedFileIsRefusedBeforeAllocation() throws StoreException {
        SimulatedFiles files = new SimulatedFiles();
        try (BlockFile big = files.create(Path.of("/big"))) {
            big.append(ByteBuffer.allocate(149));
        }
        assertThatExceptionOfType(StoreCorruptException.class)
                .isThrownBy(() -> FRAME.readFile(files, Path.of("/big")))
                .matches(e -> e.damage() == Damage.OVERSIZED);
    }

    private static void assertDamage(byte[] content, Damage damage) {
        assertThatExceptionOfType(StoreCorruptException.class)
                .as("%d bytes", content.length)
                .isThrownBy(() -> FRAME.unwrap(content, "file"))
                .matches(e -> e.damage() == damage, damage.name());
    }
}
