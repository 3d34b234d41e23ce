package org.stillcut.agent.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the machine has left of its memory. */
public final class AvailableMemory {
    private static final String FIELD = "MemAvailable:";

    private AvailableMemory() {}

    /** What programs can still take without others having to be swapped out, as the kernel reckons. */
    public static long bytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
            if (line.startsWith(FIELD)) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
            }
        }
        throw new IOException("/proc/meminfo does not tell " + FIELD);
    }
}
