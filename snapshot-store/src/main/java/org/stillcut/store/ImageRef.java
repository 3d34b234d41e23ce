package org.stillcut.store;

/** Reference to a stored image: the root chunk of its index, and its length. Equal content written alike has an equal reference. */
public record ImageRef(ChunkId root, long lengthBytes) {

    /** Checks the values. */
    public ImageRef {
        if (root.isZeroMarker()) {
            throw new IllegalArgumentException("the root of an image index cannot be the zero marker");
        }
        if (lengthBytes < 0) {
            throw new IllegalArgumentException("image length " + lengthBytes + " is negative");
        }
    }
}
