package org.stillcut.agent.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stillcut.agent.qemu.LabVm;
import org.stillcut.store.ByteRange;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageSource;

/** The life of RAM images over checkpoints that are committed, abandoned and fail, with a guest that this test plays. */
class RamCaptureTest {
    private static final int PAGE = PageSet.PAGE_BYTES;
    private static final int PAGES = 64;

    private Path directory;
    private Path file;
    private final MarkingTracker tracker = new MarkingTracker();
    private RamCapture capture;

    /** What the store would have. */
    private final Map<ImageRef, byte[]> images = new HashMap<>();

    private int persisted;

    @BeforeEach
    void bootedVm() throws Exception {
        directory = LabVm.directory();
        file = directory.resolve("ram");
        try (RandomAccessFile ram = new RandomAccessFile(file.toFile(), "rw")) {
            ram.setLength(PAGES * PAGE);
        }
        write(3, 33);
        write(40, 44);
        capture = RamCapture.ofBooted(file, PAGES * PAGE, tracker);
    }

    @AfterEach
    void close() throws Exception {
        capture.close();
        LabVm.delete(directory);
    }

    /** The guest writes all of a page. */
    private void write(int page, int value) throws IOException {
        byte[] content = new byte[PAGE];
        Arrays.fill(content, (byte) value);
        content[page % PAGE] = (byte) (value + 1);
        try (RandomAccessFile ram = new RandomAccessFile(file.toFile(), "rw")) {
            ram.seek((long) page * PAGE);
            ram.write(content);
        }
        tracker.mark(page);
    }

    /** What a reader of the image would see. */
    private byte[] image() throws IOException {
        return switch (capture.image()) {
            case ImageInput.Overlay(ImageSource source, ImageRef base, var present) ->
                over(Objects.requireNonNull(images.get(base)).clone(), source, present);
            case ImageInput.Sparse(ImageSource source, var present, int _) ->
                over(new byte[PAGES * PAGE], source, present);
            case ImageInput.Full _, ImageInput.Dirty _ -> throw new AssertionError("not a kind for RAM");
        };
    }

    private static byte[] over(byte[] below, ImageSource source, Iterable<ByteRange> present) throws IOException {
        for (ByteRange range : present) {
            source.read(
                    range.offsetBytes(), ByteBuffer.wrap(below, (int) range.offsetBytes(), (int) range.lengthBytes()));
        }
        return below;
    }

    private static ImageRef ref(int number) {
        return new ImageRef(
                ChunkId.of(
                        ByteBuffer.allocate(32).putInt(number).put(31, (byte) 1).array()),
                PAGES * PAGE);
    }

    private ImageRef persist() throws IOException {
        ImageRef ref = ref(++persisted);
        images.put(ref, image());
        capture.stored(ref);
        return ref;
    }

    private void cutEqualsRam(Supplier<String> when) throws Exception {
        capture.cut();
        assertThat(image()).as(when).isEqualTo(Files.readAllBytes(file));
    }

    @Test
    void firstImageHasAllThatWasEverUsed() throws Exception {
        capture.precopy();
        write(5, 55);
        cutEqualsRam(() -> "first");
        assertThat(capture.changed().pageCount()).isEqualTo(3);
    }

    @Test
    void nextImageCostsWhatChanged() throws Exception {
        capture.precopy();
        capture.cut();
        persist();
        write(7, 77);
        capture.precopy();
        write(7, 78);
        write(8, 88);
        cutEqualsRam(() -> "second");
        assertThat(capture.changed().ranges()).containsExactly(new ByteRange(7 * PAGE, 2 * PAGE));
    }

    @Test
    void restoredVmNeedsOnlyWhatItChangedSince() throws Exception {
        ImageRef base = ref(99);
        images.put(base, Files.readAllBytes(file));
        MarkingTracker fresh = new MarkingTracker();
        try (RamCapture restored = RamCapture.ofRestored(file, fresh, base, Optional.empty())) {
            write(12, 1);
            fresh.mark(12);
            restored.precopy();
            restored.cut();
            assertThat(restored.image()).isInstanceOf(ImageInput.Overlay.class);
            assertThat(restored.changed().ranges()).containsExactly(new ByteRange(12 * PAGE, PAGE));
        }
    }

    @Test
    void whatChangedBeforeAnAbandonedCutIsInTheNextOne() throws Exception {
        capture.precopy();
        capture.cut();
        persist();
        write(10, 1);
        capture.precopy();
        write(11, 1);
        capture.cut();
        capture.revoke();
        write(12, 1);
        capture.precopy();
        cutEqualsRam(() -> "after an abandoned cut");
        assertThat(capture.changed().pageCount()).isEqualTo(3);
    }

    @Test
    void snapshotThatWasStoredButNeverCommittedIsNobodysBase() throws Exception {
        capture.precopy();
        capture.cut();
        ImageRef first = persist();
        write(10, 1);
        capture.precopy();
        capture.cut();
        images.remove(persist());
        capture.revoke();
        write(11, 1);
        capture.precopy();
        cutEqualsRam(() -> "after a revoked snapshot");
        assertThat(((ImageInput.Overlay) capture.image()).base()).isEqualTo(first);
        assertThat(capture.changed().pageCount()).isEqualTo(2);
    }

    @Test
    void failedTrackerMakesEverythingDue() throws Exception {
        capture.precopy();
        capture.cut();
        persist();
        write(20, 1);
        tracker.failing = true;
        assertThatThrownBy(() -> capture.precopy())
                .isInstanceOf(IOException.class)
                .hasMessage("process 1 is gone");
        capture.revoke();
        tracker.failing = false;
        capture.precopy();
        cutEqualsRam(() -> "after the tracker failed");
    }

    @Test
    void interruptionLosesNothing() throws Exception {
        write(6, 6);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> capture.precopy()).isInstanceOf(InterruptedException.class);
        assertThatThrownBy(() -> capture.image()).isInstanceOf(IllegalStateException.class);
        capture.revoke();
        capture.precopy();
        cutEqualsRam(() -> "after an interruption");
    }

    @Test
    void memoryForCopiesIsGivenBackAsLessChanges() throws Exception {
        long ramBytes = 256L << 20;
        Path large = directory.resolve("large");
        try (RandomAccessFile ram = new RandomAccessFile(large.toFile(), "rw")) {
            ram.write(new byte[(int) (ramBytes / 2)]);
            ram.setLength(ramBytes);
        }
        try (RamCapture copies = RamCapture.ofBooted(large, ramBytes, new MarkingTracker())) {
            copies.precopy();
            copies.cut();
            assertThat(copies.heldBytes()).isBetween(ramBytes / 2, ramBytes / 2 + (40L << 20));
            long before = copies.heldBytes();
            for (int i = 0; i < 4; i++) {
                copies.stored(ref(i));
                copies.precopy();
                copies.cut();
            }
            assertThat(copies.heldBytes()).isLessThan(before / 2).isLessThanOrEqualTo(40L << 20);
        }
    }

    @Test
    void missingRamIsAnOrdinaryFailureAndEndsTheTracking() {
        MarkingTracker fresh = new MarkingTracker();
        assertThatThrownBy(() -> RamCapture.ofBooted(directory.resolve("none"), PAGE, fresh))
                .isInstanceOf(NoSuchFileException.class);
        assertThat(fresh.closed).isTrue();
    }

    /** Any order of writes, rounds, cuts, commits, failures and abandonments. */
    @Test
    void cutsEqualTheRamWhateverHappenedBefore() throws Exception {
        for (long seed = 1; seed <= 15; seed++) {
            Random random = new Random(seed);
            for (int step = 0; step < 60; step++) {
                anything(random, "seed " + seed + ", step " + step);
            }
        }
    }

    private void anything(Random random, String when) throws Exception {
        for (int i = random.nextInt(4); i > 0; i--) {
            write(random.nextInt(PAGES), random.nextInt(100));
        }
        switch (random.nextInt(6)) {
            case 0 -> capture.revoke();
            case 1 -> {
                tracker.failing = true;
                assertThatThrownBy(() -> capture.precopy()).isInstanceOf(IOException.class);
                tracker.failing = false;
                capture.revoke();
            }
            case 2 -> {
                capture.precopy();
                capture.cut();
                persist();
                capture.revoke();
            }
            default -> {
                capture.precopy();
                write(random.nextInt(PAGES), random.nextInt(100));
                cutEqualsRam(() -> when);
                persist();
            }
        }
    }
}
