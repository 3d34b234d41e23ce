package org.stillcut.agent.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.stillcut.agent.linux.TrackedMemory;
import org.stillcut.store.ByteRange;

class WriteProtectionTrackerTest extends DirtyTrackerContract {
    @Override
    DirtyTracker open(TrackedMemory memory, Path file) throws Exception {
        return new WriteProtectionTracker(memory.protect());
    }

    @Test
    void nothingElseIsFound() throws Exception {
        assertThat(written().isEmpty())
                .as("what was written before tracking began")
                .isTrue();
        write(5, 1);
        write(6, 1);
        write(700, 2);
        assertThat(written().ranges())
                .isEqualTo(List.of(new ByteRange(5L * PAGE, 2L * PAGE), new ByteRange(700L * PAGE, PAGE)));
        assertThat(written().isEmpty()).isTrue();
    }

    @Test
    void readingIsNotWriting() throws Exception {
        assertThat(memory().read(700L * PAGE)).isNotNegative();
        assertThat(memory().read(3000L * PAGE)).isZero();
        assertThat(written().isEmpty()).isTrue();
    }

    @Test
    void everySecondPageOfAllIsFound() throws Exception {
        for (int page = 0; page < PAGES; page += 2) {
            write(page, 1);
        }
        assertThat(written().ranges()).hasSize(PAGES / 2);
    }

    @Test
    void unmappingAloneIsNotWriting() throws Throwable {
        write(5, 1);
        written();
        memory().unmapPages();
        assertThat(written().isEmpty()).isTrue();
    }
}
