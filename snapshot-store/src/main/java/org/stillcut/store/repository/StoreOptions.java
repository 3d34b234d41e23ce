package org.stillcut.store.repository;

import org.stillcut.store.image.ImageInput;

/**
 * How much a repository may use. All sizes are bounds, not wishes.
 *
 * @param workerThreads platform threads that hash, compress and read
 * @param packTargetBytes a pack is sealed when it is this long; at most 512 MiB
 * @param zstdLevel level 1 is the default: level 3 gained nothing on our data and cost a third of the speed
 * @param indexCacheBytes block cache of the chunk index, beside 32 MiB for its write buffers
 */
public record StoreOptions(int workerThreads, long packTargetBytes, int zstdLevel, long indexCacheBytes) {

    private static final long PACK_TARGET_LIMIT_BYTES = 512L << 20;

    /** Two threads, packs of 64 MiB, level 1, 32 MiB of cache. */
    public static final StoreOptions DEFAULT = new StoreOptions(2, 64L << 20, 1, 32L << 20);

    /** Checks the values. */
    public StoreOptions {
        if (workerThreads < 1 || workerThreads > 256) {
            throw new IllegalArgumentException("worker threads " + workerThreads + " are not from 1 to 256");
        }
        if (packTargetBytes < ImageInput.DEFAULT_CHUNK_SIZE_BYTES || packTargetBytes > PACK_TARGET_LIMIT_BYTES) {
            throw new IllegalArgumentException("pack target " + packTargetBytes + " is not from 64 KiB to 512 MiB");
        }
        if (zstdLevel < 1 || zstdLevel > 19) {
            throw new IllegalArgumentException("zstd level " + zstdLevel + " is not from 1 to 19");
        }
        if (indexCacheBytes < 1 << 20) {
            throw new IllegalArgumentException("index cache of " + indexCacheBytes + " bytes is below 1 MiB");
        }
    }

    /** The same with another number of threads. */
    public StoreOptions withWorkerThreads(int threads) {
        return new StoreOptions(threads, packTargetBytes, zstdLevel, indexCacheBytes);
    }

    /** The same with another length of packs. */
    public StoreOptions withPackTargetBytes(long bytes) {
        return new StoreOptions(workerThreads, bytes, zstdLevel, indexCacheBytes);
    }
}
