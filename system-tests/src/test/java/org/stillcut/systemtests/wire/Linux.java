package org.stillcut.systemtests.wire;

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

/** The few calls of the C library that a switch between namespaces needs. Thread-safe. */
@SuppressWarnings("restricted") // Calls of the C library are what this class is for.
final class Linux {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final Linker.Option WITH_ERRNO = Linker.Option.captureCallState("errno");

    private static final MethodHandle OPEN = function(
            "open",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
            Linker.Option.firstVariadicArg(2));
    private static final MethodHandle IOCTL = function(
            "ioctl",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS),
            Linker.Option.firstVariadicArg(2));
    private static final MethodHandle READ = function(
            "read",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    private static final MethodHandle WRITE = function(
            "write",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    private static final MethodHandle CLOSE =
            function("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    private static final MethodHandle PPOLL = function(
            "ppoll",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS));
    private static final MethodHandle KILL =
            function("kill", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private static final int O_RDWR_NONBLOCK_CLOEXEC = 0x80802;

    /** Nothing there at the moment, or no room at the moment. */
    static final int EAGAIN = 11;

    private static final int EINTR = 4;

    private Linux() {}

    private static MethodHandle function(String name, FunctionDescriptor type, Linker.Option... options) {
        Linker.Option[] all = new Linker.Option[options.length + 1];
        System.arraycopy(options, 0, all, 0, options.length);
        all[options.length] = WITH_ERRNO;
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type, all);
    }

    /** A call that left its errno in {@code state}. */
    @FunctionalInterface
    private interface Call {
        long with(MemorySegment state) throws Throwable;
    }

    /** What the call returned; -errno if that was negative. */
    private static long call(Call call) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(CAPTURE);
            long result = call.with(state);
            return result < 0 ? -(int) ERRNO.get(state, 0L) : result;
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("a call of the C library threw", e);
        }
    }

    private static long require(String what, long result) throws IOException {
        if (result < 0) {
            throw new IOException(what + ": errno " + -result);
        }
        return result;
    }

    /** Opens a device for reading and writing, so that neither blocks. */
    static int open(String path) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(path);
            return (int) require(
                    "open " + path, call(state -> (int) OPEN.invokeExact(state, name, O_RDWR_NONBLOCK_CLOEXEC)));
        }
    }

    static void ioctl(int descriptor, long request, MemorySegment argument) throws IOException {
        require("ioctl", call(state -> (int) IOCTL.invokeExact(state, descriptor, request, argument)));
    }

    /** Returns the number of bytes read, or -errno. */
    static int read(int descriptor, MemorySegment target) {
        return (int) call(state -> (long) READ.invokeExact(state, descriptor, target, target.byteSize()));
    }

    /** Returns the number of bytes written, or -errno. */
    static int write(int descriptor, MemorySegment source) {
        return (int) call(state -> (long) WRITE.invokeExact(state, descriptor, source, source.byteSize()));
    }

    static void close(int descriptor) {
        long ignored = call(state -> (int) CLOSE.invokeExact(state, descriptor));
    }

    /**
     * Waits until one of them can be read or the time is over.
     *
     * @param polls array of struct pollfd
     * @param time struct timespec
     */
    static void poll(MemorySegment polls, int count, MemorySegment time) throws IOException {
        long result = call(state -> (int) PPOLL.invokeExact(state, polls, (long) count, time, MemorySegment.NULL));
        if (result != -EINTR) {
            require("ppoll", result);
        }
    }

    static void kill(long pid, int signal) throws IOException {
        require("kill " + pid, call(state -> (int) KILL.invokeExact(state, (int) pid, signal)));
    }
}
