package org.stillcut.agent.capture;

import java.nio.ByteBuffer;
import org.stillcut.store.StoreException;
import org.stillcut.store.image.ImageReader;
import org.stillcut.store.image.ImageSink;

/** The stored image of a VM's RAM. Thread-safe. */
interface StoredRam {
    /** What one read costs at least; a multiple of a page. */
    int chunkBytes();

    /** Fills the buffer. */
    void read(long offsetBytes, ByteBuffer target) throws StoreException;

    /** Hands over all that is not zero, in several threads; whole pages each time. */
    void readTo(ImageSink sink) throws StoreException;

    static StoredRam of(ImageReader image) {
        return new StoredRam() {
            @Override
            public int chunkBytes() {
                return image.chunkSizeBytes();
            }

            @Override
            public void read(long offsetBytes, ByteBuffer target) throws StoreException {
                image.read(offsetBytes, target);
            }

            @Override
            public void readTo(ImageSink sink) throws StoreException {
                image.readTo(sink);
            }
        };
    }
}
