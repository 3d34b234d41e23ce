package org.stillcut.store.codec;

import java.util.Optional;

/** How the bytes of a chunk are kept in a pack. */
public enum Encoding {
    /** As they are, because compression did not shrink them. */
    RAW(0),
    /** One zstd frame. */
    ZSTD(1);

    private final byte code;

    Encoding(int code) {
        this.code = (byte) code;
    }

    /** The value in the pack format. */
    public byte code() {
        return code;
    }

    /** The encoding of this value in the pack format, or nothing. */
    public static Optional<Encoding> ofCode(byte code) {
        return switch (code) {
            case 0 -> Optional.of(RAW);
            case 1 -> Optional.of(ZSTD);
            default -> Optional.empty();
        };
    }
}
