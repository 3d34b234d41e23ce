package org.stillcut.cli;

import java.time.Instant;

/**
 * An entry of a job's directory that is not as it was when the job began.
 *
 * @param mode permissions, as in a {@code stat}
 * @param sizeBytes of a file
 * @param path relative to the job's directory, as the guest says it: not to be trusted
 * @param target of a symbolic link, no more to be trusted
 */
record ChangedFile(Kind kind, int mode, long sizeBytes, Instant modified, String path, String target) {
    /** What it is; removed: what it was is not said. */
    enum Kind {
        FILE('f'),
        DIRECTORY('d'),
        LINK('l'),
        OTHER('o'),
        REMOVED('x');

        private final char code;

        Kind(char code) {
            this.code = code;
        }

        char code() {
            return code;
        }
    }
}
