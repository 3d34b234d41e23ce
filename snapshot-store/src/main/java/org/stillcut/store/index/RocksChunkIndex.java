package org.stillcut.store.index;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.rocksdb.FlushOptions;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.store.ChunkId;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFullException;
import org.stillcut.store.StoreIoException;
import org.stillcut.store.io.LocalFiles;
import org.stillcut.store.pack.PackEntry;
import org.stillcut.store.pack.PackRecord;

/**
 * A chunk index in a RocksDB database of this process's own, in a local directory.
 *
 * <pre>
 *  key                        value
 *  'c' chunk id (32 bytes)    pack id (16), offset (4), stored length (4), raw length (4), big-endian
 *  'p' pack id (16 bytes)     empty: the chunks of this pack are in the index
 *  'm' "r"                    repository id: of another repository, the index is emptied
 *  'm' "v"                    one byte, 1: of another version, the index is emptied
 * </pre>
 *
 * <p>There is no write-ahead log. A pack's chunks and its mark go into one batch, a batch goes into one memtable, and memtables reach the disk in
 * order: after a crash the index is as it was after some earlier batch, and the next refresh reads the packs that are missing in it.
 */
public final class RocksChunkIndex implements ChunkIndex {

    private static final Logger log = LoggerFactory.getLogger(RocksChunkIndex.class);

    private static final byte CHUNK = 'c';
    private static final byte PACK = 'p';
    private static final byte[] REPOSITORY_KEY = {'m', 'r'};
    private static final byte[] VERSION_KEY = {'m', 'v'};
    private static final byte[] VERSION = {1};
    private static final int CHUNK_KEY_BYTES = 1 + ChunkId.LENGTH_BYTES;
    private static final int PACK_KEY_BYTES = 1 + PackId.LENGTH_BYTES;
    private static final int VALUE_BYTES = PackId.LENGTH_BYTES + 12;

    private final IndexOptions options;
    private final RocksDB database;
    private final ReadOptions readOptions = new ReadOptions();
    private final WriteOptions writeOptions = new WriteOptions().setDisableWAL(true);

    private RocksChunkIndex(IndexOptions options, RocksDB database) {
        this.options = options;
        this.database = database;
    }

    /**
     * Opens the index in this directory, or creates it. The index of another repository, of another version, or a damaged one is emptied.
     *
     * <p>Fails with {@link StoreConflictException} while another process has it open.
     */
    public static RocksChunkIndex open(Path directory, String repositoryId, long blockCacheBytes)
            throws StoreException {
        new LocalFiles().createDirectory(directory);
        IndexOptions options = new IndexOptions(blockCacheBytes);
        RocksDB database;
        try {
            database = openDatabase(options, directory);
        } catch (RocksDBException e) {
            options.close();
            throw isHeldElsewhere(e)
                    ? new StoreConflictException("the chunk index in " + directory + " is open already", e)
                    : failure("open the chunk index in " + directory, e);
        }
        RocksChunkIndex index = new RocksChunkIndex(options, database);
        try {
            index.claim(repositoryId);
            return index;
        } catch (RocksDBException e) {
            index.release();
            throw failure("open the chunk index in " + directory, e);
        }
    }

    /** A database that cannot be opened for another reason than its lock is of no use: everything in it can be read from the packs. */
    private static RocksDB openDatabase(IndexOptions options, Path directory) throws RocksDBException {
        try {
            RocksDB database = RocksDB.open(options.options(), directory.toString());
            try {
                // Damage inside would show only when a look-up meets it, and then end a checkpoint. Half a gigabyte,
                // the
                // index of 8 million chunks, takes about half a second.
                database.verifyChecksum();
                return database;
            } catch (RocksDBException e) {
                database.close();
                throw e;
            }
        } catch (RocksDBException e) {
            if (isHeldElsewhere(e)) {
                throw e;
            }
            log.warn("chunk index in {} cannot be opened and is rebuilt: {}", directory, e.getMessage());
        }
        RocksDB.destroyDB(directory.toString(), options.options());
        return RocksDB.open(options.options(), directory.toString());
    }

    private void claim(String repositoryId) throws RocksDBException {
        byte[] id = repositoryId.getBytes(StandardCharsets.UTF_8);
        byte @Nullable [] owner = database.get(REPOSITORY_KEY);
        byte @Nullable [] version = database.get(VERSION_KEY);
        if (owner != null && (!Arrays.equals(owner, id) || !Arrays.equals(version, VERSION))) {
            log.warn("chunk index belongs to another repository or version and is rebuilt");
            deleteEntries();
        }
        database.put(writeOptions, REPOSITORY_KEY, id);
        database.put(writeOptions, VERSION_KEY, VERSION);
    }

    @Override
    public Optional<PackRecord> find(ChunkId chunk) throws StoreException {
        byte[] key = chunkKey(chunk);
        byte[] value = new byte[VALUE_BYTES];
        try {
            int length = database.get(readOptions, key, value);
            if (length != VALUE_BYTES) {
                return Optional.empty();
            }
        } catch (RocksDBException e) {
            throw failure("look up chunk " + chunk, e);
        }
        return Optional.of(place(chunk, value));
    }

    @Override
    public List<Optional<PackRecord>> findAll(List<ChunkId> chunks) throws StoreException {
        if (chunks.isEmpty()) {
            return List.of();
        }
        List<byte[]> values;
        try {
            values = database.multiGetAsList(
                    readOptions, chunks.stream().map(RocksChunkIndex::chunkKey).toList());
        } catch (RocksDBException e) {
            throw failure("look up " + chunks.size() + " chunks", e);
        }
        List<Optional<PackRecord>> places = new ArrayList<>(chunks.size());
        for (int i = 0; i < chunks.size(); i++) {
            byte @Nullable [] value = values.get(i);
            places.add(
                    value == null || value.length != VALUE_BYTES
                            ? Optional.empty()
                            : Optional.of(place(chunks.get(i), value)));
        }
        return places;
    }

    private static PackRecord place(ChunkId chunk, byte[] value) {
        ByteBuffer buffer = ByteBuffer.wrap(value);
        PackId pack = PackId.readFrom(buffer);
        long offset = Integer.toUnsignedLong(buffer.getInt());
        return new PackRecord(pack, chunk, offset, buffer.getInt(), buffer.getInt());
    }

    @Override
    public Set<PackId> absorbedPacks() throws StoreException {
        Set<PackId> packs = new HashSet<>();
        try (RocksIterator entries = database.newIterator()) {
            for (entries.seek(new byte[] {PACK}); entries.isValid(); entries.next()) {
                byte[] key = entries.key();
                if (key[0] != PACK) {
                    break;
                }
                packs.add(PackId.readFrom(ByteBuffer.wrap(key, 1, PackId.LENGTH_BYTES)));
            }
            entries.status();
        } catch (RocksDBException e) {
            throw failure("list the packs in the chunk index", e);
        }
        return packs;
    }

    @Override
    public void absorb(PackId pack, List<PackEntry> entries) throws StoreException {
        try (WriteBatch batch = new WriteBatch(entries.size() * (CHUNK_KEY_BYTES + VALUE_BYTES + 8))) {
            for (PackEntry entry : entries) {
                ByteBuffer value = ByteBuffer.allocate(VALUE_BYTES);
                pack.writeTo(value);
                value.putInt((int) entry.offsetBytes());
                value.putInt(entry.storedLengthBytes()).putInt(entry.rawLengthBytes());
                batch.put(chunkKey(entry.chunk()), value.array());
            }
            batch.put(packKey(pack), new byte[0]);
            database.write(writeOptions, batch);
        } catch (RocksDBException e) {
            throw failure("add pack " + pack + " to the chunk index", e);
        }
    }

    @Override
    public List<String> check() throws StoreException {
        try {
            // What is only in memory is written out first, so that it is read back as well.
            try (FlushOptions flush = new FlushOptions().setWaitForFlush(true)) {
                database.flush(flush);
            }
            database.verifyChecksum();
            return List.of();
        } catch (RocksDBException e) {
            if (isDamage(e)) {
                return List.of(e.getMessage() + "; rebuild the index");
            }
            throw failure("check the chunk index", e);
        }
    }

    private static boolean isDamage(RocksDBException cause) {
        @Nullable Status status = cause.getStatus();
        return status != null && status.getCode() == Status.Code.Corruption;
    }

    @Override
    public void clear() throws StoreException {
        try {
            deleteEntries();
        } catch (RocksDBException e) {
            throw failure("empty the chunk index", e);
        }
    }

    private void deleteEntries() throws RocksDBException {
        try (WriteBatch batch = new WriteBatch()) {
            batch.deleteRange(new byte[] {CHUNK}, new byte[] {CHUNK + 1});
            batch.deleteRange(new byte[] {PACK}, new byte[] {PACK + 1});
            database.write(writeOptions, batch);
        }
    }

    @Override
    public void close() throws StoreException {
        try (FlushOptions flush = new FlushOptions().setWaitForFlush(true)) {
            database.flush(flush);
        } catch (RocksDBException e) {
            throw failure("write out the chunk index", e);
        } finally {
            release();
        }
    }

    /** In the reverse order of creation: the database uses the options until it is closed. */
    private void release() {
        database.cancelAllBackgroundWork(true);
        database.close();
        writeOptions.close();
        readOptions.close();
        options.close();
    }

    private static byte[] chunkKey(ChunkId chunk) {
        ByteBuffer key = ByteBuffer.allocate(CHUNK_KEY_BYTES).put(CHUNK);
        chunk.writeTo(key);
        return key.array();
    }

    private static byte[] packKey(PackId pack) {
        ByteBuffer key = ByteBuffer.allocate(PACK_KEY_BYTES).put(PACK);
        pack.writeTo(key);
        return key.array();
    }

    /** RocksDB (11.8) reports its taken LOCK file as an input/output error that only its text tells from others. */
    private static boolean isHeldElsewhere(RocksDBException cause) {
        @Nullable Status status = cause.getStatus();
        @Nullable String state = status == null ? null : status.getState();
        // Not "lock" alone: a damaged table is reported as "block checksum mismatch".
        return state != null
                && (state.toLowerCase(Locale.ROOT).contains("while lock file") || state.contains("lock hold by"));
    }

    private static StoreException failure(String action, RocksDBException cause) {
        @Nullable Status status = cause.getStatus();
        boolean full = status != null && status.getSubCode() == Status.SubCode.NoSpace;
        String message = "cannot " + action + ": " + cause.getMessage();
        if (isDamage(cause)) {
            return new StoreCorruptException(Damage.CHECKSUM, message + "; rebuild the index", cause);
        }
        return full ? new StoreFullException(message, cause) : new StoreIoException(message, cause);
    }
}
