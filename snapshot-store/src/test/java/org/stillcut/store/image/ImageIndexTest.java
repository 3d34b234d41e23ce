package org.stillcut.store.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;

class ImageIndexTest {

    private static final long LENGTH = 3L * 512 * 4096 - 17;
    private static final ImageRef REF = new ImageRef(new ChunkId(1, 2, 3, 4), LENGTH);

    private final byte[] root = root();

    private static byte[] root() {
        ImageIndex index = ImageIndex.zeros(4096, LENGTH);
        index.setPage(1, new ChunkId(5, 6, 7, 8));
        return index.encode();
    }

    @Test
    void rootComesBack() throws StoreException {
        ImageIndex index = ImageIndex.decode(root, REF);
        assertThat(index.pageCount()).isEqualTo(3);
        assertThat(index.chunkCount()).isEqualTo(3 * 512);
        assertThat(index.page(0).isZeroMarker()).isTrue();
        assertThat(index.page(1)).isEqualTo(new ChunkId(5, 6, 7, 8));
        assertThat(index.encode()).isEqualTo(root);
    }

    @Test
    void truncatedOrLongerRootIsRefused() {
        for (int length = 0; length < root.length + 2; length++) {
            if (length != root.length) {
                byte[] changed = Arrays.copyOf(root, length);
                assertThatExceptionOfType(StoreCorruptException.class)
                        .isThrownBy(() -> ImageIndex.decode(changed, REF));
            }
        }
    }

    @Test
    void wrongFieldsAreRefused() {
        assertDamage(0, 1, Damage.FOREIGN_MAGIC);
        for (int chunkSize : new int[] {0, -1, 2048, 4097, 2 << 20, 8192, Integer.MIN_VALUE}) {
            assertDamage(12, chunkSize, Damage.MALFORMED);
        }
        assertDamage(20, 1, Damage.MALFORMED);
        assertDamage(24, Integer.MAX_VALUE, Damage.MALFORMED);
        byte[] newer = root.clone();
        ByteBuffer.wrap(newer).putInt(8, 3);
        assertThatExceptionOfType(StoreFormatException.class).isThrownBy(() -> ImageIndex.decode(newer, REF));
    }

    @Test
    void oversizedImageIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> ImageIndex.zeros(4096, Long.MAX_VALUE));
        assertThatIllegalArgumentException().isThrownBy(() -> ImageIndex.zeros(5000, 1));
    }

    private void assertDamage(int offset, int value, Damage damage) {
        byte[] changed = root.clone();
        ByteBuffer.wrap(changed).putInt(offset, value);
        assertThatExceptionOfType(StoreCorruptException.class)
                .isThrownBy(() -> ImageIndex.decode(changed, REF))
                .matches(e -> e.damage() == damage);
    }
}
