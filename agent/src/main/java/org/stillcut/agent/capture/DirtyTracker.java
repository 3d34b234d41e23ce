package org.stillcut.agent.capture;

import java.io.IOException;

/**
 * Knows which pages of a running VM's RAM were written. Used by one thread at a time.
 *
 * <p>Only the VM's own writes count: what others write into the RAM file, as a restore does, is not seen.
 */
public interface DirtyTracker extends AutoCloseable {
    /** How it knows. */
    enum Kind {
        /** It is told of each page. */
        WRITE_PROTECTION,
        /** It is not, and takes every page that was ever used for written, each time. */
        ALL_PAGES
    }

    Kind kind();

    /**
     * Adds to the set each page that was written since the last call, or since tracking began, and perhaps others. What is
     * written during the call is found by it or by the next one; a page found must be read after this has returned.
     *
     * @throws IOException if it failed; pages may then be missing in this set and in the next one, so that all pages have to
     *     be taken for written
     */
    void takeWritten(PageSet into) throws IOException;

    /** Ends tracking. The VM runs on. */
    @Override
    void close();
}
