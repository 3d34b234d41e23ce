package org.stillcut.agent.capture;

import java.io.IOException;
import java.nio.file.Path;
import org.stillcut.agent.linux.DataRanges;

/**
 * For hosts that cannot tell which pages were written: all that were ever used, also those given back since. A page that was
 * never used is zero.
 */
final class AllPagesTracker implements DirtyTracker {
    private final Path ram;
    private final PageSet used = new PageSet();

    AllPagesTracker(Path ram) {
        this.ram = ram;
    }

    @Override
    public Kind kind() {
        return Kind.ALL_PAGES;
    }

    @Override
    public void takeWritten(PageSet into) throws IOException {
        DataRanges.of(ram).forEach(range -> used.addBytes(range.offsetBytes(), range.lengthBytes()));
        into.addAll(used);
    }

    @Override
    public void close() {
        // Holds nothing.
    }
}
