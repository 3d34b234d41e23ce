package org.stillcut.agent.disk;

import org.jspecify.annotations.Nullable;

/** Something failed on an image of a disk. The message names the disk or file and what was seen. */
public final class DiskException extends Exception {

    DiskException(String subject, String what, @Nullable Throwable cause) {
        super(subject + ": " + what, cause);
    }

    DiskException(String subject, String what) {
        this(subject, what, null);
    }
}
