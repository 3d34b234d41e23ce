package org.stillcut.agent.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Holds another process where it touches a page of a file on a tmpfs that the file does not have yet, and puts pages in:
 * userfaultfd(2) in missing mode. A page comes in whole and once, protected against writes as {@link WriteProtection} has
 * them, so that it counts as not written; what the process wrote into a page that is there already is never replaced.
 *
 * <p>The process is held until the page is put in. Nobody may use another mapping of the file before all pages are there: the
 * kernel would make pages of zeros for it.
 *
 * <p>{@link #put} and {@link #stop} are thread-safe, {@link #await} is for one thread. Nothing may be called after {@link #close}.
 */
public final class MissingPages implements AutoCloseable {
    private static final int PAGE_BYTES = 4096;

    private static final long SYS_READ = 0;
    private static final long SYS_WRITE = 1;
    private static final long SYS_POLL = 7;
    private static final long SYS_EVENTFD2 = 290;
    private static final long FLAGS_CLOEXEC_NONBLOCK = 0x80800;
    private static final short POLLIN = 1;
    private static final int POLL_ENTRY_BYTES = 8;
    private static final long NO_TIMEOUT = -1;

    private static final long UFFDIO_COPY = 0xC028AA03L;
    private static final long UFFDIO_WAKE = 0x8010AA02L;
    private static final long COPY_MODE_WP = 2;
    private static final int COPY_BYTES = 40;

    /** Where the kernel says how many bytes it has copied, or the negative errno. */
    private static final int COPY_RESULT = 32;

    private static final int MESSAGE_BYTES = 32;
    private static final int MESSAGE_ADDRESS = 16;
    private static final byte EVENT_PAGEFAULT = 0x12;
    private static final int MESSAGES = 16;

    /** While the process changes its mappings the kernel asks to be called again; QEMU does that for moments only. */
    private static final int MOST_TRIES = 10_000;

    private final Arena arena = Arena.ofShared();
    private final UserFault userfault;
    private final int stopper;
    private final MemorySegment polled;
    private final MemorySegment messages;

    private MissingPages(UserFault userfault, int stopper) {
        this.userfault = userfault;
        this.stopper = stopper;
        this.polled = arena.allocate(2 * POLL_ENTRY_BYTES, 8);
        this.messages = arena.allocate((long) MESSAGES * MESSAGE_BYTES, 8);
        polled.set(ValueLayout.JAVA_INT, 0, userfault.descriptor());
        polled.set(ValueLayout.JAVA_SHORT, 4, POLLIN);
        polled.set(ValueLayout.JAVA_INT, POLL_ENTRY_BYTES, stopper);
        polled.set(ValueLayout.JAVA_SHORT, POLL_ENTRY_BYTES + 4, POLLIN);
    }

    /** Takes a page that is missed. */
    @FunctionalInterface
    public interface TouchVisitor {
        /**
         * Takes one page.
         *
         * @param offsetBytes of the page in the file
         */
        void accept(long offsetBytes) throws IOException;
    }

    /** The process whose pages were to be put in has ended. */
    public static final class ProcessGoneException extends IOException {
        private static final long serialVersionUID = 1L;

        private ProcessGoneException(Throwable cause) {
            super("the process is gone", cause);
        }
    }

    /**
     * Holds the process from now on. Its writes must be tracked by {@link WriteProtection} already.
     *
     * @param pid a process whose descriptors this one may take, as root may
     * @param descriptor its userfaultfd, opened for missing pages on a tmpfs
     * @param file mapped by it, whole and in one piece, without pages
     */
    public static MissingPages take(long pid, int descriptor, Path file, long lengthBytes) throws IOException {
        UserFault userfault = UserFault.take(pid, descriptor, file, lengthBytes);
        boolean taken = false;
        try {
            userfault.register(
                    "RAM cannot be registered for missing pages",
                    UserFault.MODE_MISSING | UserFault.MODE_WRITE_PROTECT);
            int stopper = (int) Libc.syscall("eventfd", SYS_EVENTFD2, 0, FLAGS_CLOEXEC_NONBLOCK, 0);
            taken = true;
            return new MissingPages(userfault, stopper);
        } finally {
            if (!taken) {
                userfault.close();
            }
        }
    }

    public long lengthBytes() {
        return userfault.lengthBytes();
    }

    /**
     * Waits until the process touches missing pages, and hands them over; the same page may come again.
     *
     * @return false when {@link #stop} was called, also before
     */
    public boolean await(TouchVisitor visitor) throws IOException {
        try {
            Libc.syscall("missing pages cannot be waited for", SYS_POLL, polled.address(), 2, NO_TIMEOUT);
        } catch (Libc.ErrnoException e) {
            if (e.errno() == Libc.EINTR) {
                return true;
            }
            throw e;
        }
        if (polled.get(ValueLayout.JAVA_SHORT, POLL_ENTRY_BYTES + 6) != 0) {
            return false;
        }
        short events = polled.get(ValueLayout.JAVA_SHORT, 6);
        if (events != POLLIN) {
            throw new IOException("missing pages cannot be waited for: poll gives " + events);
        }
        int count = (int) (readMessages() / MESSAGE_BYTES);
        for (int i = 0; i < count; i++) {
            long message = (long) i * MESSAGE_BYTES;
            if (messages.get(ValueLayout.JAVA_BYTE, message) == EVENT_PAGEFAULT) {
                long address = messages.get(ValueLayout.JAVA_LONG, message + MESSAGE_ADDRESS);
                long offset = address - userfault.address();
                visitor.accept(offset - offset % PAGE_BYTES);
            }
        }
        return true;
    }

    private long readMessages() throws IOException {
        try {
            return Libc.syscall(
                    "missing pages cannot be read",
                    SYS_READ,
                    userfault.descriptor(),
                    messages.address(),
                    messages.byteSize());
        } catch (Libc.ErrnoException e) {
            // Whoever waited for the page has got it, or was killed.
            if (e.errno() == Libc.EAGAIN || e.errno() == Libc.EINTR) {
                return 0;
            }
            throw e;
        }
    }

    /**
     * Puts pages in and lets go who waits for them. Those that are there already stay as they are.
     *
     * @param source begins with the bytes
     * @throws ProcessGoneException if there is nobody left to need them
     * @throws IOException if the kernel refuses, as it does when the tmpfs is full
     */
    public void put(long offsetBytes, MemoryBlock source, long lengthBytes) throws IOException {
        Objects.checkFromIndexSize(offsetBytes, lengthBytes, userfault.lengthBytes());
        Objects.checkFromIndexSize(0, lengthBytes, source.lengthBytes());
        int tries = 0;
        try (Arena call = Arena.ofConfined()) {
            MemorySegment copy = call.allocate(COPY_BYTES, 8);
            long done = 0;
            while (done < lengthBytes) {
                copy.set(ValueLayout.JAVA_LONG, 0, userfault.address() + offsetBytes + done);
                copy.set(ValueLayout.JAVA_LONG, 8, source.segment().address() + done);
                copy.set(ValueLayout.JAVA_LONG, 16, lengthBytes - done);
                copy.set(ValueLayout.JAVA_LONG, 24, COPY_MODE_WP);
                copy.set(ValueLayout.JAVA_LONG, COPY_RESULT, 0);
                try {
                    Libc.ioctl("a page cannot be put in", userfault.descriptor(), UFFDIO_COPY, copy);
                    done = lengthBytes;
                } catch (Libc.ErrnoException e) {
                    long advance = afterRefusal(e, copy, offsetBytes + done);
                    if (advance == 0 && ++tries > MOST_TRIES) {
                        throw e;
                    }
                    done += advance;
                }
            }
        }
    }

    /** How many bytes are there after a copy that did not get to its end. */
    private long afterRefusal(Libc.ErrnoException refusal, MemorySegment copy, long offsetBytes) throws IOException {
        return switch (refusal.errno()) {
            case Libc.EEXIST -> {
                wake(offsetBytes);
                yield PAGE_BYTES;
            }
            case Libc.EAGAIN -> {
                Thread.onSpinWait();
                yield Math.max(0, copy.get(ValueLayout.JAVA_LONG, COPY_RESULT));
            }
            case Libc.ESRCH -> throw new ProcessGoneException(refusal);
            default -> throw refusal;
        };
    }

    private void wake(long offsetBytes) throws IOException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment range = call.allocate(16, 8);
            range.set(ValueLayout.JAVA_LONG, 0, userfault.address() + offsetBytes);
            range.set(ValueLayout.JAVA_LONG, 8, PAGE_BYTES);
            Libc.ioctl("a page cannot be given", userfault.descriptor(), UFFDIO_WAKE, range);
        }
    }

    /** Ends the wait, now and for ever. The process is still held at pages that are missing. */
    public void stop() {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment one = call.allocate(8, 8);
            one.set(ValueLayout.JAVA_LONG, 0, 1);
            Libc.syscall("eventfd", SYS_WRITE, stopper, one.address(), 8);
        } catch (IOException e) {
            throw new IllegalStateException("an event cannot be raised", e);
        }
    }

    /** Lets go of the process's memory. A process that is held at a missing page stays so, unless it has closed its own descriptor. */
    @Override
    public void close() {
        Libc.close(stopper);
        userfault.close();
        arena.close();
    }
}
