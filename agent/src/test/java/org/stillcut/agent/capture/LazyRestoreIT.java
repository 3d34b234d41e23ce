package org.stillcut.agent.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.stillcut.agent.qemu.LabVm.DEADLINE;
import static org.stillcut.agent.qemu.LabVm.MEMORY_BYTES;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.agent.qemu.LabVm;
import org.stillcut.agent.qemu.Vm;
import org.stillcut.agent.qemu.VmException;
import org.stillcut.agent.qemu.VmSpec;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreIoException;
import org.stillcut.store.image.ImageSink;

/** A real VM whose RAM comes while QEMU and it are touching it, and one whose RAM does not come. */
@Timeout(60)
class LazyRestoreIT {
    private static final int PIECE_BYTES = 1 << 20;
    private static final DirtyTracking TRACKING = new DirtyTracking(
            Path.of(System.getProperty("stillcut.native", "../build/native")).resolve("libstillcut-track.so"));

    private final CountDownLatch bulk = new CountDownLatch(1);
    private Path directory;
    private VmSpec spec;
    private byte[] deviceState;
    private byte[] image;

    @BeforeEach
    void cut() throws Exception {
        directory = LabVm.directory();
        VmSpec plain = LabVm.spec(directory, List.of());
        spec = new VmSpec(
                plain.name(),
                plain.machine(),
                plain.boot(),
                plain.disks(),
                plain.nic(),
                plain.files(),
                TRACKING.environment(plain.files().runDirectory()));
        try (Vm vm = Vm.boot(spec, DEADLINE)) {
            vm.pause(DEADLINE);
            deviceState = vm.saveDeviceState(DEADLINE);
            image = Files.readAllBytes(spec.files().ram());
        }
        Files.delete(spec.files().ram());
        try (RandomAccessFile ram = new RandomAccessFile(spec.files().ram().toFile(), "rw")) {
            ram.setLength(MEMORY_BYTES);
        }
    }

    @AfterEach
    void delete() throws Exception {
        LabVm.delete(directory);
    }

    /** Hands over all but what was touched when the latch is open, and fails from an offset on. */
    private StoredRam stored(long failFrom) {
        return new StoredRam() {
            @Override
            public int chunkBytes() {
                return PageSet.PAGE_BYTES;
            }

            @Override
            public void read(long offsetBytes, ByteBuffer target) {
                target.put(image, (int) offsetBytes, target.remaining());
            }

            @Override
            public void readTo(ImageSink sink) throws StoreException {
                try {
                    bulk.await();
                    for (int at = 0; at < image.length; at += PIECE_BYTES) {
                        if (at >= failFrom) {
                            throw new StoreIoException("pack 7 cannot be read at " + at, new IOException("disk"));
                        }
                        sink.accept(at, ByteBuffer.wrap(image, at, PIECE_BYTES));
                    }
                } catch (IOException e) {
                    throw new StoreIoException("sink", e);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            }
        };
    }

    @Test
    void vmIsLoadedAndRunsBeforeItsRamIsThere() throws Exception {
        try (Vm vm = Vm.prepareRestore(spec, DEADLINE);
                DirtyTracker tracker = TRACKING.choose(vm).tracker();
                LazyFill fill = SnapshotVault.fillRam(stored(Long.MAX_VALUE), vm, TRACKING.missingPages(vm))) {
            assertThat(tracker.kind()).isEqualTo(DirtyTracker.Kind.WRITE_PROTECTION);
            vm.loadDeviceState(deviceState, DEADLINE);
            vm.resume(DEADLINE);
            assertThat(vm.status(DEADLINE)).isEqualTo("running");
            assertThat(fill.isFilled()).isFalse();
            vm.pause(DEADLINE);
            fill.fillRest();
            bulk.countDown();
            fill.awaitFilled();
            assertEqualExceptWritten(tracker);
            vm.resume(DEADLINE);
            assertThat(vm.status(DEADLINE)).isEqualTo("running");
            vm.kill();
        }
    }

    private void assertEqualExceptWritten(DirtyTracker tracker) throws Exception {
        PageSet written = new PageSet();
        tracker.takeWritten(written);
        byte[] ram = Files.readAllBytes(spec.files().ram());
        written.forEachRun((first, count) -> System.arraycopy(
                ram, first * PageSet.PAGE_BYTES, image, first * PageSet.PAGE_BYTES, count * PageSet.PAGE_BYTES));
        assertThat(Arrays.mismatch(ram, image)).as("first byte that differs").isEqualTo(-1);
    }

    @Test
    void vmWhoseRamDoesNotComeIsStoppedWithTheReason() throws Exception {
        try (Vm vm = Vm.prepareRestore(spec, DEADLINE);
                DirtyTracker tracker = TRACKING.choose(vm).tracker();
                LazyFill fill = SnapshotVault.fillRam(stored(MEMORY_BYTES / 2), vm, TRACKING.missingPages(vm))) {
            vm.loadDeviceState(deviceState, DEADLINE);
            vm.resume(DEADLINE);
            fill.fillRest();
            bulk.countDown();
            vm.exited().toCompletableFuture().get(20, TimeUnit.SECONDS);
            assertThat(fill.failure())
                    .contains("its RAM cannot be brought from the store: pack 7 cannot be read at " + MEMORY_BYTES / 2
                            + ": disk");
            assertThatThrownBy(fill::awaitFilled).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> vm.status(DEADLINE)).isInstanceOf(VmException.class);
            assertThat(tracker.kind()).isEqualTo(DirtyTracker.Kind.WRITE_PROTECTION);
        }
    }

    @Test
    void vmThatEndsDuringTheFillIsNoFailureOfTheStore() throws Exception {
        try (Vm vm = Vm.prepareRestore(spec, DEADLINE);
                DirtyTracker tracker = TRACKING.choose(vm).tracker();
                LazyFill fill = SnapshotVault.fillRam(stored(Long.MAX_VALUE), vm, TRACKING.missingPages(vm))) {
            assertThat(tracker.kind()).isEqualTo(DirtyTracker.Kind.WRITE_PROTECTION);
            vm.kill();
            fill.fillRest();
            bulk.countDown();
            assertThatThrownBy(fill::awaitFilled).isInstanceOf(IOException.class);
            assertThat(fill.failure()).isEmpty();
        }
    }
}
