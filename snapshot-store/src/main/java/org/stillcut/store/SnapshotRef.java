package org.stillcut.store;

import java.util.regex.Pattern;

/** Reference to a durable snapshot manifest: the SHA-256 of its file as 64 lower-case hexadecimal digits. */
public record SnapshotRef(String digest) {

    private static final Pattern VALID = Pattern.compile("[0-9a-f]{64}");

    /** Checks the digits. */
    public SnapshotRef {
        if (!VALID.matcher(digest).matches()) {
            throw new IllegalArgumentException("not a manifest digest: '" + digest + "'");
        }
    }
}
