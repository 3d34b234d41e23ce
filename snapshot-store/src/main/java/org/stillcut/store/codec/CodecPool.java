package org.stillcut.store.codec;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The codecs of a repository, lent to one thread at a time. Thread-safe.
 *
 * <p>Bounded: a borrower waits while {@code limit} codecs are out. So nobody may wait for another borrower, or for a second codec, while holding
 * one. Close the pool after the last borrower is done.
 */
public final class CodecPool implements AutoCloseable {

    private final int zstdLevel;
    private final int limit;
    private final Deque<ChunkCodec> idle = new ArrayDeque<>();
    private int created;
    private boolean closed;

    /** Creates codecs on demand, up to {@code limit}. */
    public CodecPool(int zstdLevel, int limit) {
        this.zstdLevel = zstdLevel;
        this.limit = limit;
    }

    /** A codec of one's own until the lease is closed. Waits for one without regard to interruption: leases are held for one piece of work only. */
    public Lease borrow() {
        return new Lease(this, take());
    }

    private synchronized ChunkCodec take() {
        boolean interrupted = false;
        while (idle.isEmpty() && created >= limit && !closed) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (closed) {
            throw new IllegalStateException("the repository is closed");
        }
        if (idle.isEmpty()) {
            created++;
            return new ChunkCodec(zstdLevel);
        }
        return idle.pop();
    }

    private synchronized void giveBack(ChunkCodec codec) {
        if (closed) {
            codec.close();
        } else {
            idle.push(codec);
            notifyAll();
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        idle.forEach(ChunkCodec::close);
        idle.clear();
        notifyAll();
    }

    /** A codec on loan. */
    public static final class Lease implements AutoCloseable {

        private final CodecPool pool;
        private final ChunkCodec codec;

        private Lease(CodecPool pool, ChunkCodec codec) {
            this.pool = pool;
            this.codec = codec;
        }

        /** The codec; not to be used after {@link #close}. */
        public ChunkCodec codec() {
            return codec;
        }

        @Override
        public void close() {
            pool.giveBack(codec);
        }
    }
}
