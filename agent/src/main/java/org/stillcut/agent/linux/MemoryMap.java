package org.stillcut.agent.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Where a process has mapped a file, from {@code /proc/PID/maps}. */
final class MemoryMap {
    private MemoryMap() {}

    /** The address of the file's first byte in the process; all of the file must be mapped, in one piece. */
    static long addressOf(long pid, Path file, long lengthBytes) throws IOException {
        String inode = Files.getAttribute(file, "unix:ino").toString();
        long device = (Long) Files.getAttribute(file, "unix:dev");
        try {
            return find(Files.readAllLines(Path.of("/proc/" + pid + "/maps")), deviceName(device), inode, lengthBytes);
        } catch (IOException e) {
            throw new IOException("process " + pid + ", " + file + ": " + e.getMessage(), e);
        }
    }

    /** As the kernel prints it: major and minor number, split as in its makedev. */
    static String deviceName(long device) {
        long major = ((device >>> 8) & 0xfff) | ((device >>> 32) & ~0xfffL);
        long minor = (device & 0xff) | ((device >>> 12) & ~0xffL);
        return String.format(Locale.ROOT, "%02x:%02x", major, minor);
    }

    /** Lines look like {@code 7f00-7f10 rw-s 00001000 00:19 1234   /dev/shm/vm0.ram}, in the order of addresses. */
    static long find(List<String> lines, String device, String inode, long lengthBytes) throws IOException {
        List<String> seen = new ArrayList<>();
        long start = -1;
        long mapped = 0;
        for (String line : lines) {
            String[] words = line.split("\\s+", 6);
            if (words.length < 5 || !words[3].equals(device) || !words[4].equals(inode)) {
                continue;
            }
            seen.add(line);
            String[] ends = words[0].split("-", 2);
            long from = Long.parseUnsignedLong(ends[0], 16);
            long offset = Long.parseUnsignedLong(words[2], 16);
            if (offset != mapped || (start >= 0 && from != start + mapped)) {
                throw new IOException("the file is not mapped in one piece: " + seen);
            }
            if (start < 0) {
                start = from;
            }
            mapped += Long.parseUnsignedLong(ends[1], 16) - from;
        }
        if (mapped != lengthBytes) {
            throw new IOException(mapped + " bytes of the file are mapped instead of " + lengthBytes);
        }
        return start;
    }
}
