package org.stillcut.store.hold;

import org.jspecify.annotations.Nullable;
import org.stillcut.store.StoreException;
import org.stillcut.store.io.StoreLock;

/** A hold of this process's own, until it is closed or the process dies. Thread-safe. */
public final class Hold implements AutoCloseable {

    private final Holds holds;
    private final String id;
    private @Nullable StoreLock lock;

    Hold(Holds holds, String id, StoreLock lock) {
        this.holds = holds;
        this.id = id;
        this.lock = lock;
    }

    /** The name of the hold, which no other has. */
    public String id() {
        return id;
    }

    /** Lets go what it held. May be repeated. */
    @Override
    public synchronized void close() throws StoreException {
        StoreLock held = lock;
        lock = null;
        if (held != null) {
            try (held) {
                holds.remove(id);
            }
        }
    }
}
