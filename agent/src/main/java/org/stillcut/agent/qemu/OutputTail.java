package org.stillcut.agent.qemu;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** The last bytes of a stream that may be endless and that the guest may influence. Thread-safe. */
final class OutputTail {

    private final int limitBytes;
    private byte[] kept = new byte[0];

    OutputTail(int limitBytes) {
        this.limitBytes = limitBytes;
    }

    /** Reads the stream to its end. */
    void drain(InputStream stream) throws IOException {
        byte[] chunk = new byte[limitBytes];
        for (int n = stream.read(chunk); n >= 0; n = stream.read(chunk)) {
            append(chunk, n);
        }
    }

    synchronized void append(byte[] chunk, int lengthBytes) {
        int old = Math.min(kept.length, limitBytes - lengthBytes);
        byte[] joined = new byte[old + lengthBytes];
        System.arraycopy(kept, kept.length - old, joined, 0, old);
        System.arraycopy(chunk, 0, joined, old, lengthBytes);
        kept = joined;
    }

    /** What was kept, as it is; a character cut in two becomes a replacement character. */
    synchronized String text() {
        return new String(kept, StandardCharsets.UTF_8);
    }

    /** What was kept, on one line and without control characters. */
    String oneLine() {
        return text().strip().replaceAll("\\s*\\R\\s*", " | ").replaceAll("\\p{Cntrl}", "?");
    }
}
