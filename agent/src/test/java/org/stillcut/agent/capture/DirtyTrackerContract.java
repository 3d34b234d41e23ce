package org.stillcut.agent.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.agent.linux.TrackedMemory;
import org.stillcut.agent.qemu.LabVm;

/** What every tracker does, on memory that this process writes in the guest's place. */
@Timeout(60)
abstract class DirtyTrackerContract {
    static final int PAGE = PageSet.PAGE_BYTES;
    static final int PAGES = 4096;

    private Path directory;
    private TrackedMemory memory;
    private DirtyTracker tracker;

    /** Begins to track. */
    abstract DirtyTracker open(TrackedMemory memory, Path file) throws Exception;

    @BeforeEach
    void track() throws Exception {
        directory = LabVm.directory();
        Path file = directory.resolve("ram");
        memory = new TrackedMemory(file, (long) PAGES * PAGE);
        write(1, 1);
        write(700, 1);
        tracker = open(memory, file);
    }

    @AfterEach
    void close() throws Exception {
        tracker.close();
        memory.close();
        LabVm.delete(directory);
    }

    TrackedMemory memory() {
        return memory;
    }

    void write(int page, int value) {
        memory.write((long) page * PAGE + page % PAGE, value);
    }

    PageSet written() throws Exception {
        PageSet pages = new PageSet();
        tracker.takeWritten(pages);
        return pages;
    }

    @Test
    void writtenPageIsFound() throws Exception {
        write(5, 5);
        write(PAGES - 1, 5);
        assertThat(written().contains(5)).isTrue();
        write(5, 6);
        assertThat(written().contains(5)).isTrue();
        assertThat(memory.read(5L * PAGE + 5)).as("the write itself").isEqualTo(6);
    }

    @Test
    void pageThatWasNeverTouchedIsNotFound() throws Exception {
        write(5, 5);
        assertThat(written().contains(2000)).isFalse();
    }

    @Test
    void pageThatWasReadOnlyBeforeIsFoundWhenItIsWritten() throws Exception {
        assertThat(memory.read(1000L * PAGE)).isZero();
        written();
        write(1000, 1);
        assertThat(written().contains(1000)).isTrue();
    }

    @Test
    void whatIsFoundIsAddedToTheSet() throws Exception {
        write(5, 5);
        PageSet pages = new PageSet();
        pages.addBytes(3000L * PAGE, 1);
        tracker.takeWritten(pages);
        assertThat(pages.contains(3000)).isTrue();
        assertThat(pages.contains(5)).isTrue();
    }

    @Test
    void pageThatTheKernelUnmappedAfterTheWriteIsFound() throws Throwable {
        written();
        write(9, 9);
        write(10, 9);
        memory.unmapPages();
        assertThat(written().contains(9)).isTrue();
        memory.unmapPages();
        write(10, 10);
        assertThat(written().contains(10)).isTrue();
    }

    @Test
    void noWriteIsLostHoweverItFallsBetweenTheCalls() throws Exception {
        PageSet found = new PageSet();
        Thread writer = Thread.ofPlatform().start(() -> {
            for (int page = 0; page < PAGES; page++) {
                write(page, 3);
            }
        });
        while (writer.isAlive()) {
            tracker.takeWritten(found);
        }
        writer.join();
        tracker.takeWritten(found);
        assertThat(found.pageCount()).isEqualTo(PAGES);
    }
}
