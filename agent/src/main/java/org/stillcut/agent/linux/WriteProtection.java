package org.stillcut.agent.linux;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * Tells which pages of a file another process has written through its mapping: userfaultfd(2) in asynchronous write
 * protection mode, read and reset by the PAGEMAP_SCAN ioctl (both since Linux 6.7).
 *
 * <p>A write to a protected page is let through by the kernel, which takes the protection away; a page without protection is
 * a written one. No handler is involved, so the process runs on whatever becomes of this one. Only writes through that
 * process's mapping count; those of other processes through theirs are not seen.
 *
 * <p>Used by one thread at a time.
 */
public final class WriteProtection implements AutoCloseable {
    private static final long UFFDIO_WRITEPROTECT = 0xC018AA06L;
    private static final long WRITEPROTECT_MODE_WP = 1;

    private static final long PAGEMAP_SCAN = 0xC0606610L;
    private static final long SCAN_ARGUMENT_BYTES = 96;
    /** Protect what is found, in the same step; and fail where the mapping is not under asynchronous protection. */
    private static final long SCAN_FLAGS = 1 | 2;
    /**
     * With this as the only mask and the only category to return, the kernel takes whatever is not protected for written, also
     * a page that it has meanwhile unmapped: with other masks such a page would be overlooked.
     */
    private static final long PAGE_IS_WRITTEN = 2;

    /** Ranges for which there is room in one call; a guest that writes every second page of 1 GiB has this many. */
    private static final int REGIONS = 1 << 17;

    private static final long REGION_BYTES = 24;
    /** Protection is set in pieces, so that the process, which needs the same lock for its page faults, is not held up for long. */
    private static final long PIECE_BYTES = 64L << 20;

    private final Arena arena = Arena.ofShared();
    private final UserFault userfault;
    private final int pagemap;
    private final long address;
    private final long lengthBytes;
    private final MemorySegment argument;
    private final MemorySegment regions;

    private WriteProtection(UserFault userfault, int pagemap) {
        this.userfault = userfault;
        this.pagemap = pagemap;
        this.address = userfault.address();
        this.lengthBytes = userfault.lengthBytes();
        this.argument = arena.allocate(SCAN_ARGUMENT_BYTES, 8);
        this.regions = arena.allocate(REGIONS * REGION_BYTES, 8);
    }

    /** Takes a run of bytes of the file. */
    @FunctionalInterface
    public interface RangeVisitor {
        void accept(long offsetBytes, long lengthBytes);
    }

    /**
     * Begins to track: all pages are protected when this returns, and none counts as written.
     *
     * @param pid a process whose descriptors this one may take, as root may
     * @param descriptor its userfaultfd, opened with asynchronous write protection, also of pages that are not there yet
     * @param file mapped by it, whole and in one piece
     */
    public static WriteProtection take(long pid, int descriptor, Path file, long lengthBytes) throws IOException {
        UserFault userfault = UserFault.take(pid, descriptor, file, lengthBytes);
        int pagemap = -1;
        boolean taken = false;
        try {
            pagemap = Libc.openForReading("/proc/" + pid + "/pagemap");
            WriteProtection protection = new WriteProtection(userfault, pagemap);
            userfault.register("RAM cannot be registered for write protection", UserFault.MODE_WRITE_PROTECT);
            protection.protectAll();
            taken = true;
            return protection;
        } finally {
            if (!taken) {
                userfault.close();
                if (pagemap >= 0) {
                    Libc.close(pagemap);
                }
            }
        }
    }

    private void protectAll() throws IOException {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment protect = call.allocate(24, 8);
            for (long done = 0; done < lengthBytes; done += PIECE_BYTES) {
                set(protect, address + done, Math.min(PIECE_BYTES, lengthBytes - done), WRITEPROTECT_MODE_WP);
                Libc.ioctl("RAM cannot be write-protected", userfault.descriptor(), UFFDIO_WRITEPROTECT, protect);
            }
        }
    }

    /**
     * Hands over all pages written since the last call, or since tracking began, and protects them again, page for page in one
     * step: what is written before this call is found by it, what is written during it is found by it or by the next one.
     *
     * @throws IOException if the process is gone or the kernel refuses. Pages may then be protected again without having been
     *     handed over: whoever goes on must take all pages for written
     */
    public void takeWritten(RangeVisitor visitor) throws IOException {
        long end = address + lengthBytes;
        long position = address;
        while (position < end) {
            set(argument, SCAN_ARGUMENT_BYTES, SCAN_FLAGS, position, end, 0, regions.address(), REGIONS, 0, 0);
            argument.set(ValueLayout.JAVA_LONG, 72, PAGE_IS_WRITTEN);
            argument.set(ValueLayout.JAVA_LONG, 80, 0);
            argument.set(ValueLayout.JAVA_LONG, 88, PAGE_IS_WRITTEN);
            int found = Libc.ioctl("written pages cannot be read", pagemap, PAGEMAP_SCAN, argument);
            for (int i = 0; i < found; i++) {
                long from = regions.get(ValueLayout.JAVA_LONG, i * REGION_BYTES);
                long to = regions.get(ValueLayout.JAVA_LONG, i * REGION_BYTES + 8);
                visitor.accept(from - address, to - from);
            }
            long walked = argument.get(ValueLayout.JAVA_LONG, 32);
            if (walked <= position) {
                throw new IOException("the kernel stopped looking for written pages at " + Long.toHexString(position));
            }
            position = walked;
        }
    }

    private static void set(MemorySegment struct, long... words) {
        for (int i = 0; i < words.length; i++) {
            struct.set(ValueLayout.JAVA_LONG, i * 8L, words[i]);
        }
    }

    /** Ends tracking; the process and its memory stay as they are. */
    @Override
    public void close() {
        Libc.close(pagemap);
        userfault.close();
        arena.close();
    }
}
