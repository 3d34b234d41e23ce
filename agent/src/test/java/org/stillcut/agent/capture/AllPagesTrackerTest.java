package org.stillcut.agent.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.HostCommandRunner;
import org.stillcut.agent.linux.TrackedMemory;

class AllPagesTrackerTest extends DirtyTrackerContract {
    private Path file = Path.of("");

    @Override
    DirtyTracker open(TrackedMemory memory, Path file) {
        this.file = file;
        return new AllPagesTracker(file);
    }

    @Test
    void everyPageEverUsedIsFoundEachTime() throws Exception {
        assertThat(written().contains(700)).isTrue();
        assertThat(written().contains(700)).isTrue();
    }

    @Test
    void pageGivenBackIsFoundToo() throws Exception {
        written();
        new HostCommandRunner()
                .run(
                        CommandLine.of("fallocate", "-p", "-o", "4096", "-l", "4096", file.toString()),
                        Duration.ofSeconds(10));
        assertThat(written().contains(1)).isTrue();
    }
}
