package org.stillcut.agent.capture;

import java.io.IOException;
import org.stillcut.agent.linux.WriteProtection;

/** Tracks by write protection of the RAM in QEMU's address space. */
final class WriteProtectionTracker implements DirtyTracker {
    private final WriteProtection protection;

    WriteProtectionTracker(WriteProtection protection) {
        this.protection = protection;
    }

    @Override
    public Kind kind() {
        return Kind.WRITE_PROTECTION;
    }

    @Override
    public void takeWritten(PageSet into) throws IOException {
        protection.takeWritten(into::addBytes);
    }

    @Override
    public void close() {
        protection.close();
    }
}
