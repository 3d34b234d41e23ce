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
    private static final long FEATURES = 1 | 1 << 12 | 1 << 13 | 1 << 15;
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
