package org.stillcut.store.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.stillcut.store.ByteRange;

class RangeSetTest {

    @Test
    void sortsJoinsAndCuts() {
        List<ByteRange> ranges =
                List.of(range(50, 10), range(0, 5), range(5, 5), range(55, 20), range(90, 50), range(200, 1));
        assertThat(RangeSet.normalize(ranges, 100)).containsExactly(range(0, 10), range(50, 25), range(90, 10));
    }

    @Test
    void widensToChunks() {
        List<ByteRange> ranges = List.of(range(5, 1), range(4090, 10), range(20_000, 1));
        assertThat(RangeSet.alignOutwards(ranges, 4096)).containsExactly(range(0, 8192), range(16_384, 4096));
    }

    private static ByteRange range(long offset, long length) {
        return new ByteRange(offset, length);
    }
}
