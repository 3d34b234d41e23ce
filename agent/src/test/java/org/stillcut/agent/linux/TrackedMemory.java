package org.stillcut.agent.linux;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** A file that this very process has mapped, as QEMU has the RAM, with a userfaultfd opened as the preloaded library does. */
@SuppressWarnings("restricted")
public final class TrackedMemory implements AutoCloseable {
    private static final long SYS_USERFAULTFD = 323;
    private static final long UFFDIO_API = 0xC018AA3FL;
    private static final long FLAGS_CLOEXEC_NONBLOCK = 0x80800;
    private static final long FEATURES = 1 | 1 << 5 | 1 << 12 | 1 << 13 | 1 << 15;
    private static final long SYS_READ = 0;
    private static final long SYS_WRITE = 1;
    private static final long SYS_LSEEK = 8;
    private static final long SYS_MEMFD_CREATE = 319;
    private static final int MADV_DONTNEED = 4;
    private static final MethodHandle MADVISE = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("madvise"),
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));

    private final Arena arena = Arena.ofShared();
    private final Path file;
    private final MemorySegment memory;
    private final int userfault;

    public TrackedMemory(Path file, long lengthBytes) throws IOException {
        this.file = file;
        try (RandomAccessFile sized = new RandomAccessFile(file.toFile(), "rw")) {
            sized.setLength(lengthBytes);
            memory = sized.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, lengthBytes, arena);
        }
        userfault = (int) Libc.syscall("userfaultfd", SYS_USERFAULTFD, FLAGS_CLOEXEC_NONBLOCK, 0, 0);
        try (Arena call = Arena.ofConfined()) {
            MemorySegment api = call.allocate(24, 8);
            api.set(ValueLayout.JAVA_LONG, 0, 0xAA);
            api.set(ValueLayout.JAVA_LONG, 8, FEATURES);
            Libc.ioctl("UFFDIO_API", userfault, UFFDIO_API, api);
        }
    }

    public WriteProtection protect() throws IOException {
        return WriteProtection.take(ProcessHandle.current().pid(), userfault, file, memory.byteSize());
    }

    public MissingPages holdAtMissing() throws IOException {
        return MissingPages.take(ProcessHandle.current().pid(), userfault, file, memory.byteSize());
    }

    /**
     * Reads in the kernel, as a thread that touches the memory itself and is held there would hold up the whole Java machine.
     */
    public byte[] readHeld(long offsetBytes, int lengthBytes) throws IOException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment bytes = call.allocate(lengthBytes);
            move(memory.asSlice(offsetBytes, lengthBytes), bytes);
            return bytes.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** The same for writing. */
    public void writeHeld(long offsetBytes, byte[] bytes) throws IOException {
        try (Arena call = Arena.ofConfined()) {
            move(call.allocateFrom(ValueLayout.JAVA_BYTE, bytes), memory.asSlice(offsetBytes, bytes.length));
        }
    }

    private static void move(MemorySegment from, MemorySegment to) throws IOException {
        int between;
        try (Arena call = Arena.ofConfined()) {
            MemorySegment name = call.allocateFrom("between");
            between = (int) Libc.syscall("memfd_create", SYS_MEMFD_CREATE, name.address(), 0, 0);
        }
        try {
            long written = Libc.syscall("write", SYS_WRITE, between, from.address(), from.byteSize());
            long start = Libc.syscall("lseek", SYS_LSEEK, between, 0, 0);
            long read = Libc.syscall("read", SYS_READ, between, to.address(), to.byteSize());
            if (written != from.byteSize() || start != 0 || read != to.byteSize()) {
                throw new IOException(written + " bytes written, " + read + " read");
            }
        } finally {
            Libc.close(between);
        }
    }

    public void write(long offsetBytes, int value) {
        memory.set(ValueLayout.JAVA_BYTE, offsetBytes, (byte) value);
    }

    public int read(long offsetBytes) {
        return memory.get(ValueLayout.JAVA_BYTE, offsetBytes);
    }

    /** Has the kernel unmap the pages, as it does with those that it swaps out; the file keeps their content. */
    public void unmapPages() throws Throwable {
        int result = (int) MADVISE.invokeExact(memory, memory.byteSize(), MADV_DONTNEED);
        if (result != 0) {
            throw new IOException("madvise failed");
        }
    }

    @Override
    public void close() {
        Libc.close(userfault);
        arena.close();
    }
}
