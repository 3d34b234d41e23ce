package org.stillcut.agent.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemoryMapTest {
    private static final String OTHER = "55d0c000-55d0d000 r--p 00000000 fd:01 1234                 /usr/bin/qemu";
    private static final String WHOLE = "7f0000000000-7f0004000000 rw-s 00000000 00:19 77           /dev/shm/vm 0.ram";
    private static final String FIRST = "7f0000000000-7f0001000000 rw-s 00000000 00:19 77           /dev/shm/vm0.ram";
    private static final String REST = "7f0001000000-7f0004000000 rw-s 01000000 00:19 77            /dev/shm/vm0.ram";

    private static long find(String... lines) throws IOException {
        return MemoryMap.find(List.of(lines), "00:19", "77", 0x4000000);
    }

    @Test
    void mappingIsFoundByDeviceAndInode() throws Exception {
        assertThat(find(OTHER, WHOLE, OTHER)).isEqualTo(0x7f0000000000L);
    }

    @Test
    void piecesThatTouchAreOneMapping() throws Exception {
        assertThat(find(FIRST, REST)).isEqualTo(0x7f0000000000L);
    }

    @Test
    void partialMappingIsRefused() {
        assertThatThrownBy(() -> find(FIRST)).isInstanceOf(IOException.class).hasMessageContaining("16777216 bytes");
        assertThatThrownBy(() -> find(REST)).isInstanceOf(IOException.class).hasMessageContaining("in one piece");
    }

    @Test
    void fileThatIsMappedTwiceIsRefused() {
        assertThatThrownBy(() -> find(WHOLE, WHOLE))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("one piece");
    }

    @Test
    void fileThatIsNotMappedIsRefused() {
        assertThatThrownBy(() -> find(OTHER)).isInstanceOf(IOException.class).hasMessageContaining("0 bytes");
    }

    @Test
    void devicesAreNamedAsTheKernelDoes() {
        assertThat(MemoryMap.deviceName(0x19)).isEqualTo("00:19");
        assertThat(MemoryMap.deviceName(0xfd01)).isEqualTo("fd:01");
        assertThat(MemoryMap.deviceName(0x1_0803_12L)).isEqualTo("803:1012");
    }
}
