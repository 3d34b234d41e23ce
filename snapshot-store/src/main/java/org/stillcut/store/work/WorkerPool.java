package org.stillcut.store.work;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.stillcut.store.codec.CodecPool;

/**
 * The platform threads that hash, compress and read: a fixed number, named {@code store-worker-N}. Thread-safe.
 *
 * <p>Platform threads, because native calls and pure computation would only block the carriers of virtual ones. Work comes in {@link TaskGroup}s,
 * which bound what is queued.
 */
public final class WorkerPool implements AutoCloseable {

    /** Work in hand lasts one batch; a disk that hangs for longer than this is not waited for. */
    private static final long CLOSE_LIMIT_SECONDS = 60;

    private final int threads;
    private final CodecPool codecs;
    private final ExecutorService executor;

    /** Starts threads on demand, up to this number; the codecs must stay open until this pool is closed. */
    public WorkerPool(int threads, CodecPool codecs) {
        this.threads = threads;
        this.codecs = codecs;
        ThreadFactory factory =
                Thread.ofPlatform().name("store-worker-", 0).daemon(true).factory();
        executor = Executors.newFixedThreadPool(threads, factory);
    }

    /** A new group of tasks. */
    public TaskGroup newGroup() {
        return new TaskGroup(executor, codecs, 2 * threads);
    }

    /** The codecs that the workers use, for short work of a caller's own thread. */
    public CodecPool codecs() {
        return codecs;
    }

    /** Waits for the tasks in hand and ends the threads. */
    @Override
    public void close() {
        executor.shutdown();
        try {
            if (!executor.awaitTermination(CLOSE_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("store workers still busy after " + CLOSE_LIMIT_SECONDS + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
