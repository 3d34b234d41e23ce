package org.stillcut.agent.capture;

import java.io.IOException;

/** A tracker that is told what was written, and fails when it is told to, after it has forgotten what it knew. */
final class MarkingTracker implements DirtyTracker {
    private final PageSet written = new PageSet();
    boolean failing;
    boolean closed;

    void mark(int page) {
        written.addBytes((long) page * PageSet.PAGE_BYTES, 1);
    }

    @Override
    public Kind kind() {
        return Kind.WRITE_PROTECTION;
    }

    @Override
    public void takeWritten(PageSet into) throws IOException {
        if (failing) {
            written.clear();
            throw new IOException("process 1 is gone");
        }
        into.addAll(written);
        written.clear();
    }

    @Override
    public void close() {
        closed = true;
    }
}
