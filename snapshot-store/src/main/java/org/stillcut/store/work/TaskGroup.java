package org.stillcut.store.work;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreInterruptedException;
import org.stillcut.store.codec.CodecPool;

/**
 * Tasks that belong together and fail together: a bounded number in flight, the first failure is the result. Used by one thread.
 *
 * <p>{@link #close} returns only when no task of the group runs any more, so that none outlives what it works on.
 */
public final class TaskGroup implements AutoCloseable {

    private final ExecutorService executor;
    private final CodecPool codecs;
    private final int limit;
    private final Semaphore slots;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    TaskGroup(ExecutorService executor, CodecPool codecs, int limit) {
        this.executor = executor;
        this.codecs = codecs;
        this.limit = limit;
        this.slots = new Semaphore(limit);
    }

    /** Hands a task to the pool; waits while too many are in flight. Throws what an earlier task failed with, and then takes no more. */
    public void submit(ChunkTask task) throws StoreException {
        acquire(1);
        boolean handedOver = false;
        try {
            throwFailure();
            executor.execute(() -> runAndRelease(task));
            handedOver = true;
        } finally {
            if (!handedOver) {
                slots.release();
            }
        }
    }

    /** Waits for all tasks; throws what the first failed one failed with. */
    public void await() throws StoreException {
        acquire(limit);
        slots.release(limit);
        throwFailure();
    }

    @Override
    public void close() {
        slots.acquireUninterruptibly(limit);
        slots.release(limit);
    }

    private void runAndRelease(ChunkTask task) {
        try {
            if (failure.get() == null) {
                try (CodecPool.Lease lease = codecs.borrow()) {
                    task.run(lease.codec());
                }
            }
        } catch (StoreException | RuntimeException | Error e) {
            // The top of a worker's loop: whatever it is, the thread that owns the group throws it.
            failure.compareAndSet(null, e);
        } finally {
            slots.release();
        }
    }

    private void acquire(int count) throws StoreInterruptedException {
        try {
            slots.acquire(count);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreInterruptedException("interrupted while waiting for store workers", e);
        }
    }

    private void throwFailure() throws StoreException {
        switch (failure.get()) {
            case null -> {}
            case StoreException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new IllegalStateException("a store worker failed", e);
        }
    }
}
