package org.stillcut.store.image;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Takes the bytes of an image that is read. Must be thread-safe: chunks come from several threads at once, in any order. */
@FunctionalInterface
public interface ImageSink {

    /**
     * Takes the bytes of one chunk or of several neighbours, checked against their digests and cut at the image's end.
     *
     * @param bytes valid during the call only
     */
    void accept(long offsetBytes, ByteBuffer bytes) throws IOException;
}
