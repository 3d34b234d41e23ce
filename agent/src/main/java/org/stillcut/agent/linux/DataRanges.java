package org.stillcut.agent.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a sparse file has data, from lseek(2) with SEEK_DATA and SEEK_HOLE. On a tmpfs these are the pages that were ever
 * written, so a guest's RAM file need not be read where the guest never was.
 */
@SuppressWarnings("restricted") // Calls of the C library are what this package is for.
public final class DataRanges {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final Linker.Option WITH_ERRNO = Linker.Option.captureCallState("errno");

    private static final MethodHandle OPEN = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("open"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
            Linker.Option.firstVariadicArg(2),
            WITH_ERRNO);
    private static final MethodHandle LSEEK = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("lseek"),
            FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT),
            WITH_ERRNO);
    private static final MethodHandle CLOSE = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("close"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private static final int O_RDONLY_CLOEXEC = 0x80000;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;

    /** lseek's answer when there is no more data. */
    private static final int ENXIO = 6;

    private DataRanges() {}

    /** A run of bytes. */
    public record Range(long offsetBytes, long lengthBytes) {}

    /** The ranges that have data, in order. What is written meanwhile may be in or not. */
    public static List<Range> of(Path file) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CAPTURE);
            int descriptor = (int) OPEN.invokeExact(state, arena.allocateFrom(file.toString()), O_RDONLY_CLOEXEC);
            if (descriptor < 0) {
                throw failure(file, "cannot be opened", state);
            }
            try {
                return scan(file, descriptor, state);
            } finally {
                int ignored = (int) CLOSE.invokeExact(descriptor);
            }
        } catch (IOException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("a call of the C library threw", e);
        }
    }

    private static List<Range> scan(Path file, int descriptor, MemorySegment state) throws Throwable {
        List<Range> ranges = new ArrayList<>();
        long position = 0;
        while (true) {
            long start = (long) LSEEK.invokeExact(state, descriptor, position, SEEK_DATA);
            if (start < 0) {
                if ((int) ERRNO.get(state, 0L) == ENXIO) {
                    return ranges;
                }
                throw failure(file, "cannot be searched for data", state);
            }
            position = (long) LSEEK.invokeExact(state, descriptor, start, SEEK_HOLE);
            if (position < 0) {
                throw failure(file, "cannot be searched for holes", state);
            }
            ranges.add(new Range(start, position - start));
        }
    }

    private static IOException failure(Path file, String what, MemorySegment state) {
        return new IOException(file + " " + what + ": errno " + (int) ERRNO.get(state, 0L));
    }
}
