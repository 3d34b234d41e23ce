package org.stillcut.store.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.stillcut.store.StoreException;

class SimulatedFilesTest extends StoreFilesContract {

    private final SimulatedFiles files = new SimulatedFiles();

    @Override
    StoreFiles files() {
        return files;
    }

    @Override
    Path directory() {
        return Path.of("/");
    }

    @Test
    void powerCutTakesWhatWasNotMadeDurable() throws StoreException {
        try (BlockFile file = files.create(Path.of("/forced"))) {
            file.append(ByteBuffer.allocate(5));
            file.force();
            file.append(ByteBuffer.allocate(7));
        }
        files.create(Path.of("/empty")).close();
        files.syncDirectory(Path.of("/"));
        files.create(Path.of("/unsynced")).close();
        SimulatedFiles after = files.afterPowerCut();
        assertThat(after.list(Path.of("/"))).containsExactly("empty", "forced");
        assertThat(after.content(Path.of("/forced"))).hasSize(5);
        assertThat(files.afterKill().list(Path.of("/"))).containsExactly("empty", "forced", "unsynced");
    }
}
