package org.stillcut.store.work;

import org.stillcut.store.StoreException;
import org.stillcut.store.codec.ChunkCodec;

/** A piece of work on chunks that a worker thread does with a codec of its own. It must not wait for another task. */
@FunctionalInterface
public interface ChunkTask {

    /** Does the work; the codec is the task's until it returns. */
    void run(ChunkCodec codec) throws StoreException;
}
