package org.stillcut.agent.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.agent.linux.DataRanges;
import org.stillcut.agent.linux.TrackedMemory;
import org.stillcut.agent.qemu.LabVm;
import org.stillcut.store.ByteRange;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreIoException;
import org.stillcut.store.image.ImageSink;

/** On memory of this process, which threads touch in a VM's place, with a store that fails when it is told to. */
@Timeout(60)
class LazyFillTest {
    private static final int PAGE = PageSet.PAGE_BYTES;
    private static final int PAGES = 1024;
    private static final int LENGTH = PAGES * PAGE;

    private final byte[] image = new byte[LENGTH];
    private final PlantedRam store = new PlantedRam();
    private final BlockingQueue<String> stops = new LinkedBlockingQueue<>();
    private Path directory;
    private Path file;
    private TrackedMemory memory;
    private DirtyTracker tracker;
    private LazyFill fill;

    @BeforeEach
    void begin() throws Exception {
        directory = LabVm.directory();
        file = directory.resolve("ram");
        memory = new TrackedMemory(file, LENGTH);
        tracker = new WriteProtectionTracker(memory.protect());
        Random random = new Random(1);
        for (int page = 0; page < PAGES; page++) {
            // Pages of zeros in runs of all lengths.
            if (random.nextInt(3) > 0) {
                byte[] noise = new byte[PAGE];
                random.nextBytes(noise);
                System.arraycopy(noise, 0, image, page * PAGE, PAGE);
            }
        }
        Arrays.fill(image, 600 * PAGE, 1000 * PAGE, (byte) 0);
        fill = LazyFill.begin(file, memory.holdAtMissing(), store, stops::add);
        fill.fillRest();
    }

    @AfterEach
    void close() throws Exception {
        store.release();
        memory.close();
        fill.close();
        tracker.close();
        LabVm.delete(directory);
    }

    /** The stored image, which hands over all only when it is released, and may fail. */
    private final class PlantedRam implements StoredRam {
        private final CountDownLatch bulk = new CountDownLatch(1);
        private volatile int failFrom = Integer.MAX_VALUE;
        private volatile int failBulkFrom = Integer.MAX_VALUE;

        void release() {
            bulk.countDown();
        }

        @Override
        public int chunkBytes() {
            return 4 * PAGE;
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws StoreException {
            if (offsetBytes >= (long) failFrom * PAGE) {
                throw new StoreIoException("chunk at " + offsetBytes + " cannot be read", new IOException("gone"));
            }
            target.put(image, (int) offsetBytes, target.remaining());
        }

        @Override
        public void readTo(ImageSink sink) throws StoreException {
            try {
                bulk.await();
                for (int page = 0; page < PAGES; page += 8) {
                    if (page >= failBulkFrom) {
                        throw new StoreIoException(
                                "chunk at page " + page + " cannot be read", new IOException("gone"));
                    }
                    byte[] run = Arrays.copyOfRange(image, page * PAGE, (page + 8) * PAGE);
                    if (!Arrays.equals(run, new byte[run.length])) {
                        sink.accept((long) page * PAGE, ByteBuffer.wrap(run).asReadOnlyBuffer());
                    }
                }
            } catch (IOException e) {
                throw new StoreIoException("the image sink failed", e);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static <T> FutureTask<T> inGuest(Callable<T> touch) {
        FutureTask<T> task = new FutureTask<>(touch);
        Thread.ofPlatform().daemon().start(task);
        return task;
    }

    private byte[] imageAt(int page, int count) {
        return Arrays.copyOfRange(image, page * PAGE, (page + count) * PAGE);
    }

    private PageSet written() throws IOException {
        PageSet pages = new PageSet();
        tracker.takeWritten(pages);
        return pages;
    }

    @Test
    void touchedPageComesBeforeAllOthers() throws Exception {
        assertThat(inGuest(() -> memory.readHeld(500L * PAGE, 3 * PAGE)).get()).isEqualTo(imageAt(500, 3));
        assertThat(fill.isFilled()).isFalse();
        assertThat(DataRanges.of(file)).containsExactly(new DataRanges.Range(500L * PAGE, 4L * PAGE));
    }

    @Test
    void allIsThereInTheEnd() throws Exception {
        store.release();
        fill.awaitFilled();
        assertThat(fill.isFilled()).isTrue();
        assertThat(DataRanges.of(file)).containsExactly(new DataRanges.Range(0, LENGTH));
        assertThat(Files.readAllBytes(file)).isEqualTo(image);
        assertThat(written().isEmpty()).as("what was put in counts as written").isTrue();
        assertThat(stops).isEmpty();
    }

    @Test
    void whatWasWrittenMeanwhileStaysAndIsTracked() throws Exception {
        byte[] words = {1, 2, 3};
        inGuest(() -> {
                    memory.writeHeld(10L * PAGE + 5, words);
                    memory.writeHeld(700L * PAGE, words);
                    return true;
                })
                .get();
        store.release();
        fill.awaitFilled();
        System.arraycopy(words, 0, image, 10 * PAGE + 5, 3);
        System.arraycopy(words, 0, image, 700 * PAGE, 3);
        assertThat(Files.readAllBytes(file)).isEqualTo(image);
        assertThat(written().ranges())
                .isEqualTo(List.of(new ByteRange(10L * PAGE, PAGE), new ByteRange(700L * PAGE, PAGE)));
    }

    @Test
    void guestThatTouchesEverythingDuringTheFillSeesTheImage() throws Exception {
        for (long seed = 0; seed < 4; seed++) {
            Random random = new Random(seed);
            FutureTask<Boolean> guest = inGuest(() -> {
                for (int i = 0; i < 2000; i++) {
                    int page = random.nextInt(PAGES);
                    if (!Arrays.equals(memory.readHeld((long) page * PAGE, PAGE), imageAt(page, 1))) {
                        throw new IllegalStateException("page " + page + " is wrong");
                    }
                    store.release();
                }
                return true;
            });
            assertThat(guest.get()).as("seed " + seed).isTrue();
        }
        fill.awaitFilled();
        assertThat(Files.readAllBytes(file)).isEqualTo(image);
    }

    @Test
    void touchedPageThatCannotBeReadStopsTheVmWhichNeverGetsIt() throws Exception {
        store.failFrom = 100;
        assertThat(inGuest(() -> memory.readHeld(0, PAGE)).get()).isEqualTo(imageAt(0, 1));
        FutureTask<byte[]> guest = inGuest(() -> memory.readHeld(200L * PAGE, PAGE));
        assertThat(stops.poll(30, TimeUnit.SECONDS))
                .isEqualTo("its RAM cannot be brought from the store: chunk at " + 200 * PAGE + " cannot be read");
        assertThat(fill.failure()).isPresent();
        store.release();
        assertThatThrownBy(() -> fill.awaitFilled()).hasMessageContaining("cannot be read");
        assertThat(fill.isFilled()).isFalse();
        assertThat(guest.isDone()).as("the guest went on").isFalse();
        assertThat(stops).as("stopped once only").isEmpty();
    }

    @Test
    void storeThatFailsInTheMiddleStopsTheVm() throws Exception {
        store.failBulkFrom = 512;
        store.release();
        assertThat(stops.poll(30, TimeUnit.SECONDS)).contains("page 512 cannot be read");
        assertThatThrownBy(() -> fill.awaitFilled()).hasMessageContaining("page 512 cannot be read");
        assertThat(Arrays.copyOf(Files.readAllBytes(file), 500 * PAGE)).isEqualTo(imageAt(0, 500));
    }

    @Test
    void closingInTheMiddleEndsTheFillWithoutStoppingAnything() throws Exception {
        FutureTask<Boolean> closing = inGuest(() -> {
            fill.close();
            return true;
        });
        store.release();
        assertThat(closing.get(30, TimeUnit.SECONDS)).isTrue();
        assertThat(stops).isEmpty();
        assertThat(fill.failure()).isEmpty();
    }
}
