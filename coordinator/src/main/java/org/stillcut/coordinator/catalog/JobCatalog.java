package org.stillcut.coordinator.catalog;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.coordinator.JobRecord;

/**
 * The jobs and the decisions made about them, in RocksDB. What a method has written is on disk when it returns.
 *
 * <pre>
 * key                          value
 * job/ID                       JSON: description, created
 * record/ID/NNNNNNNNNNNNNNNN   JSON: the job's record with that number, hexadecimal
 * network/ID#EPOCH             the incarnation's network id, 4 bytes
 * last-network                 the network id given out last, 4 bytes
 * node/AGENT                   the data address that the agent joined with last
 * </pre>
 *
 * <p>Thread-safe.
 */
public final class JobCatalog implements AutoCloseable {
    private static final String JOB = "job/";
    private static final String RECORD = "record/";
    private static final String NETWORK = "network/";
    private static final String NODE = "node/";
    private static final String LAST_NETWORK = "last-network";

    /** VXLAN has 24 bits; the lowest ids are left to others. */
    private static final int FIRST_NETWORK = 4096;

    private static final int NETWORKS = (1 << 24) - FIRST_NETWORK;

    private final Options options;
    private final WriteOptions synced;
    private final RocksDB database;
    private final Map<JobId, Long> nextRecord = new HashMap<>();

    private JobCatalog(Options options, WriteOptions synced, RocksDB database) {
        this.options = options;
        this.synced = synced;
        this.database = database;
    }

    /** Opens the catalog in a directory, which is made if it is not there. */
    public static JobCatalog open(Path directory) throws IOException {
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Options options = new Options().setCreateIfMissing(true).setKeepLogFileNum(4);
        WriteOptions synced = new WriteOptions().setSync(true);
        try {
            return new JobCatalog(options, synced, RocksDB.open(options, directory.toString()));
        } catch (RocksDBException e) {
            synced.close();
            options.close();
            throw new IOException(
                    "cannot open the catalog in " + directory + "; perhaps another coordinator runs on it", e);
        }
    }

    /** Adds a job with its first records. */
    public synchronized void create(JobId id, JobDescription description, Instant created, List<JobRecord> records) {
        try (WriteBatch batch = new WriteBatch()) {
            batch.put(bytes(JOB + id), bytes(CatalogJson.write(new JobEntry(description, created.toEpochMilli()))));
            long next = put(batch, id, records);
            database.write(synced, batch);
            nextRecord.put(id, next);
        } catch (RocksDBException e) {
            throw new CatalogException("cannot record job " + id, e);
        }
    }

    /** Adds decisions to those made before. */
    public synchronized void append(JobId id, List<JobRecord> records) {
        if (records.isEmpty()) {
            return;
        }
        try (WriteBatch batch = new WriteBatch()) {
            long next = put(batch, id, records);
            database.write(synced, batch);
            nextRecord.put(id, next);
        } catch (RocksDBException e) {
            throw new CatalogException("cannot record decisions on job " + id, e);
        }
    }

    /** All jobs, by id. To be called before anything is appended. */
    public synchronized List<StoredJob> load() {
        List<StoredJob> jobs = new ArrayList<>();
        forEach(JOB, (id, value) -> {
            JobEntry entry = CatalogJson.read(value, JobEntry.class);
            JobId job = new JobId(id);
            List<JobRecord> records = new ArrayList<>();
            forEach(RECORD + id + "/", (_, record) -> records.add(CatalogJson.read(record, JobRecord.class)));
            nextRecord.put(job, (long) records.size());
            jobs.add(new StoredJob(
                    job, entry.description(), Instant.ofEpochMilli(entry.createdUnixMillis()), List.copyOf(records)));
        });
        return jobs;
    }

    /** The checkpoint that an incarnation was restarted from; empty for a job's first. */
    public synchronized Optional<CheckpointId> restartedFrom(Incarnation incarnation) {
        List<CheckpointId> found = new ArrayList<>();
        forEach(RECORD + incarnation.job() + "/", (_, value) -> {
            if (CatalogJson.read(value, JobRecord.class) instanceof JobRecord.RestartDecided restart
                    && restart.epoch() == incarnation.epoch()) {
                found.add(restart.from());
            }
        });
        return found.stream().findFirst();
    }

    /** The network id of an incarnation: the same each time it is asked for, and no other incarnation's. */
    public synchronized int networkId(Incarnation incarnation) {
        byte[] key = bytes(NETWORK + incarnation);
        try (WriteBatch batch = new WriteBatch()) {
            byte[] known = database.get(key);
            if (known != null) {
                return ByteBuffer.wrap(known).getInt();
            }
            byte[] last = database.get(bytes(LAST_NETWORK));
            int fresh = last == null ? 0 : (ByteBuffer.wrap(last).getInt() - FIRST_NETWORK + 1) % NETWORKS;
            byte[] value = ByteBuffer.allocate(4).putInt(FIRST_NETWORK + fresh).array();
            batch.put(key, value);
            batch.put(bytes(LAST_NETWORK), value);
            database.write(synced, batch);
            return FIRST_NETWORK + fresh;
        } catch (RocksDBException e) {
            throw new CatalogException("cannot give " + incarnation + " a network", e);
        }
    }

    /** Keeps where a node's end of the tunnels is, for jobs that are taken up before the node is back. */
    public synchronized void rememberAddress(AgentId agent, String dataAddress) {
        try {
            database.put(synced, bytes(NODE + agent), bytes(dataAddress));
        } catch (RocksDBException e) {
            throw new CatalogException("cannot record the address of " + agent, e);
        }
    }

    /** The data address that the agent joined with last; empty if it never has. */
    public synchronized Optional<String> address(AgentId agent) {
        try {
            return Optional.ofNullable(database.get(bytes(NODE + agent)))
                    .map(value -> new String(value, StandardCharsets.UTF_8));
        } catch (RocksDBException e) {
            throw new CatalogException("cannot read the address of " + agent, e);
        }
    }

    @Override
    public synchronized void close() {
        database.close();
        synced.close();
        options.close();
    }

    /** Returns the number of the record after these. */
    private long put(WriteBatch batch, JobId id, List<JobRecord> records) throws RocksDBException {
        long next = nextRecord.getOrDefault(id, 0L);
        for (JobRecord record : records) {
            batch.put(bytes(RECORD + id + "/" + String.format("%016x", next++)), bytes(CatalogJson.write(record)));
        }
        return next;
    }

    private void forEach(String prefix, Entry entry) {
        byte[] start = bytes(prefix);
        try (RocksIterator iterator = database.newIterator()) {
            for (iterator.seek(start); iterator.isValid(); iterator.next()) {
                String key = new String(iterator.key(), StandardCharsets.UTF_8);
                if (!key.startsWith(prefix)) {
                    break;
                }
                entry.accept(key.substring(prefix.length()), new String(iterator.value(), StandardCharsets.UTF_8));
            }
            iterator.status();
        } catch (RocksDBException e) {
            throw new CatalogException("cannot read the catalog", e);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private record JobEntry(JobDescription description, long createdUnixMillis) {}

    @FunctionalInterface
    private interface Entry {
        void accept(String key, String value);
    }
}
