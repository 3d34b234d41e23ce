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

/** The calls of the C library that this package needs. Stateless and thread-safe; failed calls throw with their errno. */
@SuppressWarnings("restricted") // Calls of the C library are what this package is for.
final class Libc {
    static final int ESRCH = 3;
    static final int EINTR = 4;
    static final int ENXIO = 6;
    static final int EAGAIN = 11;
    static final int EEXIST = 17;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final Linker.Option WITH_ERRNO = Linker.Option.captureCallState("errno");

    private static final MethodHandle SYSCALL = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("syscall"),
            FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG),
            Linker.Option.firstVariadicArg(1),
            WITH_ERRNO);
    private static final MethodHandle IOCTL = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("ioctl"),
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS),
            Linker.Option.firstVariadicArg(2),
            WITH_ERRNO);
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

    private Libc() {}

    /** A call failed; the message is one line with what was called and the errno. */
    static final class ErrnoException extends IOException {
        private final int errno;

        ErrnoException(String what, int errno) {
            super(what + ": errno " + errno);
            this.errno = errno;
        }

        int errno() {
            return errno;
        }
    }

    /** syscall(2) with up to three arguments. */
    static long syscall(String what, long number, long first, long second, long third) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CAPTURE);
            long result;
            try {
                result = (long) SYSCALL.invokeExact(state, number, first, second, third);
            } catch (Throwable e) {
                throw thrown(e);
            }
            return checked(what, result, state);
        }
    }

    /** ioctl(2) with a pointer. */
    static int ioctl(String what, int descriptor, long request, MemorySegment argument) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CAPTURE);
            int result;
            try {
                result = (int) IOCTL.invokeExact(state, descriptor, request, argument);
            } catch (Throwable e) {
                throw thrown(e);
            }
            return (int) checked(what, result, state);
        }
    }

    /** open(2) for reading; the descriptor is the caller's to close. */
    static int openForReading(String path) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CAPTURE);
            int result;
            try {
                result = (int) OPEN.invokeExact(state, arena.allocateFrom(path), O_RDONLY_CLOEXEC);
            } catch (Throwable e) {
                throw thrown(e);
            }
            return (int) checked(path + " cannot be opened", result, state);
        }
    }

    /** lseek(2). */
    static long seek(String what, int descriptor, long offset, int whence) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CAPTURE);
            long result;
            try {
                result = (long) LSEEK.invokeExact(state, descriptor, offset, whence);
            } catch (Throwable e) {
                throw thrown(e);
            }
            return checked(what, result, state);
        }
    }

    /** close(2); nothing that was only read can be lost by it, so it cannot fail. */
    static void close(int descriptor) {
        try {
            int ignored = (int) CLOSE.invokeExact(descriptor);
        } catch (Throwable e) {
            throw thrown(e);
        }
    }

    private static long checked(String what, long result, MemorySegment state) throws ErrnoException {
        if (result < 0) {
            throw new ErrnoException(what, (int) ERRNO.get(state, 0L));
        }
        return result;
    }

    private static RuntimeException thrown(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return new IllegalStateException("a call of the C library threw", e);
    }
}
