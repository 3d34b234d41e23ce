package org.stillcut.systemtests.bench;

import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.stillcut.agent.capture.DirtyTracking;
import org.stillcut.agent.disk.BaseContent;
import org.stillcut.agent.disk.JobDisk;
import org.stillcut.agent.disk.OverlayChain;
import org.stillcut.agent.linux.HostCommandRunner;
import org.stillcut.agent.qemu.Accelerator;
import org.stillcut.agent.qemu.Vm;
import org.stillcut.agent.qemu.VmBoot;
import org.stillcut.agent.qemu.VmFiles;
import org.stillcut.agent.qemu.VmMachine;
import org.stillcut.agent.qemu.VmSpec;

/**
 * A VM that boots {@code agent/native/testguest.c} and writes to its memory what it is told. It has a disk, of which it does not
 * know. Used by one thread.
 */
public final class TestGuest implements AutoCloseable {
    public static final int PAGE_BYTES = 4096;

    /** The guest's own code, and what the firmware uses, is below and above these. */
    public static final int FIRST_FREE_PAGE = (4 << 20) / PAGE_BYTES;

    private static final int FREE_AT_THE_END_PAGES = (2 << 20) / PAGE_BYTES;
    private static final Duration DEADLINE = Duration.ofSeconds(30);

    /** Of the mailbox and its fields, as in testguest.c. */
    private static final long MAILBOX = 0x6000;

    private static final int REQUEST = 0;
    private static final int ACCEPTED = 4;
    private static final int FINISHED = 8;
    private static final int CPUS = 12;
    private static final int COMMAND = 16;
    private static final int ROUNDS = 40;

    private static final int CHANGE = 1;
    private static final int STORM = 2;
    private static final int REWRITE = 3;
    private static final int REST = 4;

    private final Vm vm;
    private final OverlayChain disk;
    private final FileChannel ram;

    private TestGuest(Vm vm, OverlayChain disk, FileChannel ram) {
        this.vm = vm;
        this.disk = disk;
        this.ram = ram;
    }

    /**
     * Where a guest is, and how large.
     *
     * @param directory on a tmpfs; all files of the guest go there
     * @param natives where the C parts of the build are
     */
    public record Place(Path directory, Path natives, int vcpus, long memoryBytes) {
        /** How the RAM of this guest is tracked. */
        public DirtyTracking tracking() {
            return new DirtyTracking(natives.resolve("libstillcut-track.so"));
        }

        public Path file(String name) {
            return directory.resolve(name);
        }

        private VmSpec spec(OverlayChain disk) {
            Path nothing = file("nothing");
            return new VmSpec(
                    "testguest",
                    VmMachine.of(Accelerator.TCG, vcpus, memoryBytes),
                    Optional.of(new VmBoot(natives.resolve("testguest.elf"), nothing, nothing, "")),
                    List.of(disk.attachment()),
                    Optional.empty(),
                    new VmFiles(file("ram"), file("run")),
                    tracking().environment(file("run")));
        }
    }

    /** Boots a guest; returns when it takes orders. */
    public static TestGuest boot(Place place) throws Exception {
        Files.write(place.file("nothing"), new byte[JobDisk.CLUSTER_BYTES]);
        Path base = place.file("disk0.raw");
        try (RandomAccessFile file = new RandomAccessFile(base.toFile(), "rw")) {
            file.setLength(16L * JobDisk.CLUSTER_BYTES);
        }
        OverlayChain disk = OverlayChain.create("disk0", base, BaseContent.NEW, new HostCommandRunner());
        TestGuest guest = started(Vm.boot(place.spec(disk), DEADLINE), disk);
        guest.await(CPUS, place.vcpus());
        return guest;
    }

    /** Starts QEMU for a restore, with the RAM file and the base of the disk in place; the device state is still to be loaded. */
    public static TestGuest prepareRestore(Place place) throws Exception {
        OverlayChain disk =
                OverlayChain.create("disk0", place.file("disk0.raw"), BaseContent.PERSISTED, new HostCommandRunner());
        return started(Vm.prepareRestore(place.spec(disk), DEADLINE), disk);
    }

    private static TestGuest started(Vm vm, OverlayChain disk) throws IOException {
        FileChannel ram = FileChannel.open(vm.spec().files().ram(), StandardOpenOption.READ, StandardOpenOption.WRITE);
        return new TestGuest(vm, disk, ram);
    }

    public Vm vm() {
        return vm;
    }

    public OverlayChain disk() {
        return disk;
    }

    /** The number of pages from {@link #FIRST_FREE_PAGE} on that nobody but this guest's orders writes. */
    public int freePages() {
        return (int) (vm.spec().machine().memoryBytes() / PAGE_BYTES) - FIRST_FREE_PAGE - FREE_AT_THE_END_PAGES;
    }

    /** Which pages, from the first free one on; every one, or with gaps. */
    public record Pages(int first, int count, int stride) {
        public static Pages clustered(int first, int count) {
            return new Pages(first, count, 1);
        }

        /** The number of each page in the guest's memory. */
        public int at(int index) {
            return FIRST_FREE_PAGE + first + index * stride;
        }
    }

    /** Fills each of these pages anew, once; returns when that is done. About half of it can be compressed. */
    public void change(Pages pages, int seed) throws IOException, InterruptedException {
        int request = order(CHANGE, pages, seed, 0);
        await(FINISHED, request);
    }

    /** Writes a word into each of the pages, again and again, as fast as possible, with all processors. */
    public void storm(Pages pages, int seed) throws IOException, InterruptedException {
        order(STORM, pages, seed, 0);
    }

    /** Fills the pages anew, again and again, at this rate. */
    public void rewrite(Pages pages, int seed, long bytesPerSecond) throws IOException, InterruptedException {
        order(REWRITE, pages, seed, Math.toIntExact(bytesPerSecond / PAGE_BYTES));
    }

    /** Writes nothing any more. */
    public void rest() throws IOException, InterruptedException {
        await(FINISHED, order(REST, Pages.clustered(0, 0), 0, 0));
    }

    /** How often all pages were written since the last order. */
    public int rounds() throws IOException {
        return get(ROUNDS) + get(ROUNDS + 4);
    }

    /** Waits until it has written all pages once more. */
    public void awaitRound() throws IOException, InterruptedException {
        int now = rounds();
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (rounds() == now) {
            if (System.nanoTime() - end > 0) {
                throw new IOException("the test guest has not written its pages within " + DEADLINE);
            }
            Thread.sleep(1);
        }
    }

    private int order(int command, Pages pages, int seed, int pagesPerSecond) throws IOException, InterruptedException {
        int request = get(REQUEST) + 1;
        put(COMMAND, command, FIRST_FREE_PAGE + pages.first(), pages.count(), pages.stride(), seed, pagesPerSecond);
        put(REQUEST, request);
        await(ACCEPTED, request);
        return request;
    }

    private int get(int field) throws IOException {
        ByteBuffer word = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
        if (ram.read(word, MAILBOX + field) != 4) {
            throw new EOFException("the RAM file ends before the mailbox");
        }
        return word.getInt(0);
    }

    private void put(int field, int... words) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(4 * words.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int word : words) {
            bytes.putInt(word);
        }
        long at = MAILBOX + field;
        bytes.flip();
        while (bytes.hasRemaining()) {
            at += ram.write(bytes, at);
        }
    }

    private void await(int field, int value) throws IOException, InterruptedException {
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (get(field) != value) {
            if (System.nanoTime() - end > 0) {
                throw new IOException("field " + field + " of the test guest's mailbox is " + get(field) + ", not "
                        + value + " after " + DEADLINE);
            }
            Thread.sleep(1);
        }
    }

    @Override
    public void close() throws IOException {
        vm.close();
        ram.close();
    }
}
