package org.stillcut.store;

import org.jspecify.annotations.Nullable;

/** Stored bytes are not what was written. Reading again does not help; another checkpoint may still be whole. */
public non-sealed class StoreCorruptException extends StoreException {

    private static final long serialVersionUID = 1L;

    /** What a reader found wrong. */
    public enum Damage {
        /** The file ends before its content does. */
        SHORT,
        /** The file does not begin with the magic number of its kind. */
        FOREIGN_MAGIC,
        /** A checksum or digest does not match. */
        CHECKSUM,
        /** A length field asks for more than the format allows. */
        OVERSIZED,
        /** Lengths, counts, names or values contradict each other. */
        MALFORMED
    }

    private final Damage damage;

    /** Says what is damaged, and how. */
    public StoreCorruptException(Damage damage, String message, @Nullable Throwable cause) {
        super(message + " (" + damage + ")", cause);
        this.damage = damage;
    }

    /** Says what is damaged, and how. */
    public StoreCorruptException(Damage damage, String message) {
        this(damage, message, null);
    }

    /** What the reader found wrong. */
    public Damage damage() {
        return damage;
    }
}
