package org.stillcut.store;

/** A file has a format version that this program does not know: use a newer program. */
public final class StoreFormatException extends StoreException {

    private static final long serialVersionUID = 1L;

    private final int found;
    private final int supported;

    /** Says which format version was found in {@code what}, and the newest version this program reads. */
    public StoreFormatException(String what, int found, int supported) {
        super(what + " has format version " + found + ", this program reads up to " + supported, null);
        this.found = found;
        this.supported = supported;
    }

    /** The version in the file. */
    public int found() {
        return found;
    }

    /** The newest version this program reads. */
    public int supported() {
        return supported;
    }
}
