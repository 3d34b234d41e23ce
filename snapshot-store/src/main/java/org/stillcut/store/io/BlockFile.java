package org.stillcut.store.io;

import java.nio.ByteBuffer;
import org.stillcut.store.StoreException;

/**
 * One open file. Reads may come from several threads at once, writes from one at a time.
 *
 * <p>Errors are those of {@link StoreFiles}.
 */
public interface BlockFile extends AutoCloseable {

    /** Appends all remaining bytes; in memory of the system only until {@link #force}. */
    void append(ByteBuffer source) throws StoreException;

    /** Fills the remaining space of {@code target} with the bytes from {@code offsetBytes} on; fails with damage SHORT where the file ends first. */
    void read(long offsetBytes, ByteBuffer target) throws StoreException;

    /** The length of the file now. */
    long lengthBytes() throws StoreException;

    /** Makes all bytes written so far durable. A failure means that they may be lost, whatever a second call says: give the file up. */
    void force() throws StoreException;

    /** Releases the file without making anything durable. May be repeated. */
    @Override
    void close() throws StoreException;
}
