package org.stillcut.agent.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * The userfaultfd(2) that another process opened, and where that process has mapped a file. Both outlive that process's
 * mapping, so whoever uses them must expect ESRCH.
 *
 * @param descriptor of this process, a copy of that process's
 * @param address of the file's first byte in that process
 */
record UserFault(int descriptor, long address, long lengthBytes) implements AutoCloseable {
    /** The kernel tells of the first touch of a page that the file does not have. */
    static final long MODE_MISSING = 1;

    /** The kernel notes writes to protected pages. */
    static final long MODE_WRITE_PROTECT = 2;

    private static final long SYS_PIDFD_OPEN = 434;
    private static final long SYS_PIDFD_GETFD = 438;
    private static final long UFFDIO_REGISTER = 0xC020AA00L;

    /**
     * Takes a copy.
     *
     * @param pid a process whose descriptors this one may take, as root may
     * @param theirs its userfaultfd
     * @param file mapped by it, whole and in one piece
     */
    static UserFault take(long pid, int theirs, Path file, long lengthBytes) throws IOException {
        int process = (int) Libc.syscall("process " + pid + " cannot be opened", SYS_PIDFD_OPEN, pid, 0, 0);
        int descriptor;
        try {
            descriptor = (int) Libc.syscall(
                    "the userfaultfd of process " + pid + " cannot be taken", SYS_PIDFD_GETFD, process, theirs, 0);
        } finally {
            Libc.close(process);
        }
        boolean found = false;
        try {
            UserFault taken = new UserFault(descriptor, MemoryMap.addressOf(pid, file, lengthBytes), lengthBytes);
            found = true;
            return taken;
        } finally {
            if (!found) {
                Libc.close(descriptor);
            }
        }
    }

    /** Has the kernel tell of the whole file; modes that were registered before are lost unless they are named again. */
    void register(String refusal, long modes) throws IOException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment register = call.allocate(32, 8);
            register.set(ValueLayout.JAVA_LONG, 0, address);
            register.set(ValueLayout.JAVA_LONG, 8, lengthBytes);
            register.set(ValueLayout.JAVA_LONG, 16, modes);
            Libc.ioctl(refusal, descriptor, UFFDIO_REGISTER, register);
        }
    }

    @Override
    public void close() {
        Libc.close(descriptor);
    }
}
