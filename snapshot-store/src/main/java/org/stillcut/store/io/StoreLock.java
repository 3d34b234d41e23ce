package org.stillcut.store.io;

import org.stillcut.store.StoreException;

/**
 * A lock on a file that this process holds. The system gives it back when the process dies, whatever its reason: so who finds a file locked knows that
 * its owner lives, without a clock.
 */
public interface StoreLock extends AutoCloseable {

    /** Gives the lock back. The file stays. May be repeated. */
    @Override
    void close() throws StoreException;
}
