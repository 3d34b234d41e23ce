package org.stillcut.store.image;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Where the bytes of an image come from while it is written. Called by one thread.
 *
 * <p>What is read is copied before it is hashed, so a source may change meanwhile: the stored chunk is then some mixture, and the caller has to
 * report the range as changed once more in a later write, as pre-copy does.
 */
public interface ImageSource {

    /** The length of the whole image; the same at each call. */
    long lengthBytes();

    /** Fills the remaining space of {@code target} with the image's bytes from {@code offsetBytes} on. */
    void read(long offsetBytes, ByteBuffer target) throws IOException;
}
