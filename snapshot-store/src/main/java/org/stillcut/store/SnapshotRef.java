package org.stillcut.store;

import java.util.regex.Pattern;

/** Reference to a durable snapshot manifest: the SHA-256 of its file as 64 lower-case hexadecimal digits. */
public record SnapshotRef(String digest) {

    private static final Pattern VALID = Pattern.compile("[0-9a-f]{64}");

    /** Whether these are 64 lower-case hexadecimal digits. */
    public static boolean isDigest(String text) {
        return VALID.matcher(text).matches();
    }

    /** Checks the digits. */
    public SnapshotRef {
        if (!isDigest(digest)) {
            throw new IllegalArgumentException("not a manifest digest: '" + digest + "'");
        }
    }
}
