package org.stillcut.agent.linux;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a sparse file has data, from lseek(2) with SEEK_DATA and SEEK_HOLE. On a tmpfs these are the pages that were ever
 * written, so a guest's RAM file need not be read where the guest never was.
 */
public final class DataRanges {
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;

    private DataRanges() {}

    /** A run of bytes. */
    public record Range(long offsetBytes, long lengthBytes) {}

    /** The ranges that have data, in order. What is written meanwhile may be in or not. */
    public static List<Range> of(Path file) throws IOException {
        int descriptor = Libc.openForReading(file.toString());
        try {
            return scan(file, descriptor);
        } finally {
            Libc.close(descriptor);
        }
    }

    private static List<Range> scan(Path file, int descriptor) throws IOException {
        List<Range> ranges = new ArrayList<>();
        long position = 0;
        while (true) {
            long start;
            try {
                start = Libc.seek(file + " cannot be searched for data", descriptor, position, SEEK_DATA);
            } catch (Libc.ErrnoException e) {
                if (e.errno() == Libc.ENXIO) {
                    return ranges;
                }
                throw e;
            }
            position = Libc.seek(file + " cannot be searched for holes", descriptor, start, SEEK_HOLE);
            ranges.add(new Range(start, position - start));
        }
    }
}
