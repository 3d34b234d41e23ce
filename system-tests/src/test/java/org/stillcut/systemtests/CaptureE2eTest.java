package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.agent.capture.DirtyTracker;
import org.stillcut.agent.capture.DirtyTracking;
import org.stillcut.store.ByteRange;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageSource;
import org.stillcut.systemtests.bench.CaptureRig;
import org.stillcut.systemtests.bench.TestGuest;
import org.stillcut.systemtests.bench.TestGuest.Pages;

/** Each image of the RAM against the RAM itself, all pages, while the guest that writes as fast as it can still stands still. */
@Tag("e2e")
@Timeout(600)
class CaptureE2eTest {
    private static final long MEMORY_BYTES = 192L << 20;
    private static final int STORM_PAGES = 16_384;
    private static final int PAGE = TestGuest.PAGE_BYTES;

    @TempDir
    Path store;

    private Path directory;

    /** What a reader of the newest image would see. */
    private Path mirror;

    @BeforeEach
    void empty() throws Exception {
        directory = Files.createTempDirectory(Path.of("/dev/shm"), "stillcut-capture-");
        mirror = directory.resolve("mirror");
        try (RandomAccessFile file = new RandomAccessFile(mirror.toFile(), "rw")) {
            file.setLength(MEMORY_BYTES);
        }
    }

    @AfterEach
    void delete() throws Exception {
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private TestGuest.Place place(int vcpus) {
        Path natives = Path.of(System.getProperty("stillcut.native", "../build/native"));
        return new TestGuest.Place(directory, natives, vcpus, MEMORY_BYTES);
    }

    @Test
    void imagesEqualTheRamOfAGuestWithOneProcessor() throws Exception {
        try (CaptureRig rig = CaptureRig.boot(place(1), store)) {
            assertThat(rig.ram().trackerKind()).isEqualTo(DirtyTracker.Kind.WRITE_PROTECTION);
            cuts(rig, 10, 1);
        }
    }

    @Test
    void imagesEqualTheRamOfAGuestWithTwoProcessors() throws Exception {
        try (CaptureRig rig = CaptureRig.boot(place(2), store)) {
            assertThat(rig.ram().trackerKind()).isEqualTo(DirtyTracker.Kind.WRITE_PROTECTION);
            cuts(rig, 10, 2);
        }
    }

    @Test
    @Tag("full")
    void imagesEqualTheRamOverManyCuts() throws Exception {
        try (CaptureRig rig = CaptureRig.boot(place(2), store)) {
            cuts(rig, 100, 3);
        }
    }

    @Test
    void imagesEqualTheRamWithoutTracking() throws Exception {
        try (CaptureRig rig = CaptureRig.boot(place(2), store, new DirtyTracking(Path.of("/nowhere")))) {
            assertThat(rig.ram().trackerKind()).isEqualTo(DirtyTracker.Kind.ALL_PAGES);
            cuts(rig, 3, 4);
        }
    }

    /** What follows a restore is as cheap, and as right, as what follows a checkpoint. */
    @Test
    void restoredGuestsNextCheckpointIsWhatItChangedSince() throws Exception {
        TestGuest.Place place = place(1);
        try (CaptureRig rig = CaptureRig.boot(place, store)) {
            rig.guest().change(Pages.clustered(0, STORM_PAGES), 1);
            cutAndCompare(rig, "before the restart");
            rig.persist();

            rig.restart(place);
            assertThat(Files.mismatch(mirror, place.file("ram")))
                    .as("first byte of the restored RAM that differs")
                    .isEqualTo(-1);
            rig.resume();
            rig.guest().change(new Pages(5, 100, 50), 2);
            cutAndCompare(rig, "after the restart");
            long changed = ranges(rig.ram().image()).stream()
                    .mapToLong(ByteRange::lengthBytes)
                    .sum();
            // The devices' rings and the mailbox are in it too.
            assertThat(changed / PAGE).isBetween(100L, 130L);
            rig.persist();
            restoredEqualsMirror(rig);

            rig.guest().storm(Pages.clustered(0, STORM_PAGES), 3);
            cuts(rig, 2, 5);
        }
    }

    @Test
    void lazilyRestoredGuestHasTheImageAndItsNextCheckpointIsWhatItChangedSince() throws Exception {
        TestGuest.Place place = place(1);
        try (CaptureRig rig = CaptureRig.boot(place, store)) {
            rig.guest().change(Pages.clustered(0, STORM_PAGES), 1);
            cutAndCompare(rig, "before the restart");
            rig.persist();

            rig.restartLazily(place);
            rig.resume();
            rig.awaitFilled();
            assertThat(Files.mismatch(mirror, place.file("ram")))
                    .as("first byte of the restored RAM that differs")
                    .isEqualTo(-1);
            rig.guest().change(new Pages(5, 100, 50), 2);
            cutAndCompare(rig, "after the restart");
            long changed = ranges(rig.ram().image()).stream()
                    .mapToLong(ByteRange::lengthBytes)
                    .sum();
            // The devices' rings and the mailbox are in it too.
            assertThat(changed / PAGE).isBetween(100L, 130L);
            rig.persist();
            restoredEqualsMirror(rig);
        }
    }

    /** It writes all over its memory from its first moment on, and is checkpointed as soon as that is possible. */
    @Test
    void guestThatWritesWhileItsRamComesLosesNothing() throws Exception {
        TestGuest.Place place = place(2);
        try (CaptureRig rig = CaptureRig.boot(place, store)) {
            rig.guest().change(Pages.clustered(0, 2 * STORM_PAGES), 1);
            rig.guest().storm(Pages.clustered(STORM_PAGES / 2, STORM_PAGES), 2);
            rig.guest().awaitRound();
            cutAndCompare(rig, "before the restart");
            rig.persist();
            for (int i = 0; i < 3; i++) {
                rig.restartLazily(place);
                rig.resume();
                cutAndCompare(rig, "after restart " + i);
                rig.guest().awaitRound();
                rig.persist();
                cutAndCompare(rig, "later after restart " + i);
                rig.persist();
                restoredEqualsMirror(rig);
            }
        }
    }

    /** Some of the checkpoints are committed, others given up at different points. */
    private void cuts(CaptureRig rig, int count, long seed) throws Exception {
        Random random = new Random(seed);
        rig.guest().storm(Pages.clustered(0, STORM_PAGES), 1);
        for (int i = 0; i < count; i++) {
            rig.guest().awaitRound();
            if (random.nextInt(4) == 0) {
                rig.capture().prepare();
                rig.capture().revoke();
            }
            cutAndCompare(rig, "seed " + seed + ", cut " + i);
            switch (random.nextInt(4)) {
                case 0 -> rig.capture().revoke();
                case 1 -> {
                    rig.persist();
                    rig.capture().revoke();
                }
                default -> rig.persist();
            }
        }
        cutAndCompare(rig, "last");
        rig.persist();
        restoredEqualsMirror(rig);
    }

    private void cutAndCompare(CaptureRig rig, String when) throws Exception {
        rig.capture().prepare();
        rig.cut(() -> {
            apply(rig.ram().image());
            assertThat(Files.mismatch(mirror, rig.guest().vm().spec().files().ram()))
                    .as("first byte of the RAM that the image has wrong, " + when)
                    .isEqualTo(-1);
        });
    }

    private static List<ByteRange> ranges(ImageInput image) {
        return switch (image) {
            case ImageInput.Overlay(ImageSource _, var _, List<ByteRange> present) -> present;
            case ImageInput.Sparse(ImageSource _, List<ByteRange> present, int _) -> present;
            case ImageInput.Full _, ImageInput.Dirty _ -> throw new AssertionError("not a kind for RAM");
        };
    }

    /** Pages of images that were given up stay in the mirror: the next image has to have them again. */
    private void apply(ImageInput image) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
        try (FileChannel file = FileChannel.open(mirror, StandardOpenOption.WRITE)) {
            for (ByteRange range : ranges(image)) {
                for (long at = range.offsetBytes(); at < range.endBytes(); at += buffer.capacity()) {
                    buffer.clear().limit((int) Math.min(buffer.capacity(), range.endBytes() - at));
                    image.source().read(at, buffer);
                    assertThat(file.write(buffer.flip(), at)).isEqualTo(buffer.limit());
                }
            }
        }
    }

    /** The image that the store puts together from all that it was given: the base and what changed, over many generations. */
    private void restoredEqualsMirror(CaptureRig rig) throws Exception {
        Path back = directory.resolve("back");
        rig.vault().createRam(rig.committed(), back);
        rig.vault().loadRam(rig.committed(), back);
        assertThat(Files.mismatch(mirror, back))
                .as("first byte that the store has wrong")
                .isEqualTo(-1);
        Files.delete(back);
    }
}
