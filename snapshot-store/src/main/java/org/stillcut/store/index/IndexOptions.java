package org.stillcut.store.index;

import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.CompressionType;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

/** The native options of the index database, in one place so that they are closed in one place, after the database. */
final class IndexOptions implements AutoCloseable {

    static {
        RocksDB.loadLibrary();
    }

    private static final long WRITE_BUFFER_BYTES = 16L << 20;
    private static final int OPEN_FILES = 128;
    /** About one lookup in a hundred of an unknown chunk reads a block in vain. */
    private static final double BLOOM_BITS_PER_KEY = 10;

    private final Cache cache;
    private final BloomFilter bloom;
    private final Options options;

    IndexOptions(long blockCacheBytes) {
        cache = new LRUCache(blockCacheBytes);
        bloom = new BloomFilter(BLOOM_BITS_PER_KEY);
        options = new Options()
                .setCreateIfMissing(true)
                .setWriteBufferSize(WRITE_BUFFER_BYTES)
                .setMaxWriteBufferNumber(2)
                .setMaxBackgroundJobs(2)
                .setMaxOpenFiles(OPEN_FILES)
                // Keys are digests and values are places: nothing to gain.
                .setCompressionType(CompressionType.NO_COMPRESSION)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                .setKeepLogFileNum(2)
                .setTableFormatConfig(new BlockBasedTableConfig()
                        .setBlockCache(cache)
                        // Filters and indexes grow with the repository; inside the cache they stay within its bound.
                        .setCacheIndexAndFilterBlocks(true)
                        .setPinL0FilterAndIndexBlocksInCache(true)
                        .setFilterPolicy(bloom));
    }

    Options options() {
        return options;
    }

    @Override
    public void close() {
        options.close();
        bloom.close();
        cache.close();
    }
}
