package org.stillcut.store.repository;

import java.nio.file.Path;
import java.util.HexFormat;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.store.ImageRef;
import org.stillcut.store.PackId;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreException;
import org.stillcut.store.chunk.ChunkSession;
import org.stillcut.store.chunk.ChunkStore;
import org.stillcut.store.codec.CodecPool;
import org.stillcut.store.image.ImageReader;
import org.stillcut.store.index.ChunkIndex;
import org.stillcut.store.index.IndexRefresh;
import org.stillcut.store.index.RocksChunkIndex;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.pack.PackDirectory;
import org.stillcut.store.pack.PackFiles;
import org.stillcut.store.work.WorkerPool;

/**
 * An open repository: the chunks of snapshots, and the {@link CheckpointCatalog} of what exists. Thread-safe.
 *
 * <p>A repository is a directory that several processes use at the same time, on one node or many. Each process opens it once, with a directory of
 * its own for the chunk index, which is a cache: it may be deleted while nobody has it open.
 *
 * <p>Writing: {@link #newSnapshot}, the images, {@link SnapshotWriter#finish}; then the coordinator's {@link CheckpointCatalog#commit}. Reading:
 * {@link CheckpointCatalog#findCheckpoint}, {@link CheckpointCatalog#readSnapshot}, {@link #openImage}.
 *
 * <p>Close it after all its writers; a crash instead of a close loses nothing that was finished.
 */
public final class Repository implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Repository.class);

    private final StoreEnvironment environment;
    private final StoreOptions options;
    private final CheckpointCatalog catalog;
    private final PackDirectory packs;
    private final PackFiles packFiles;
    private final ChunkIndex index;
    private final IndexRefresh refresh;
    private final ChunkStore chunks;
    private final CodecPool codecs;
    private final WorkerPool workers;

    private Repository(Path directory, ChunkIndex index, StoreOptions options, StoreEnvironment environment) {
        this.environment = environment;
        this.options = options;
        this.index = index;
        catalog = new CheckpointCatalog(environment.files(), environment.random(), directory);
        packs = packDirectory(directory, environment);
        packFiles = new PackFiles(packs);
        refresh = new IndexRefresh(index, packs);
        chunks = new ChunkStore(index, packFiles, refresh);
        codecs = new CodecPool(options.zstdLevel(), 2 * options.workerThreads() + 2);
        workers = new WorkerPool(options.workerThreads(), codecs);
    }

    /**
     * Makes an empty repository in this directory, which may exist; its parent must. Durable when it returns.
     *
     * <p>Fails with {@link StoreConflictException} when a repository is there already. After a crash, or beside another process, it may be repeated.
     */
    public static void create(Path directory, StoreEnvironment environment) throws StoreException {
        environment.files().createDirectory(directory);
        packDirectory(directory, environment).create();
        new CheckpointCatalog(environment.files(), environment.random(), directory).create();
        String id = PackId.random(environment.random()).toString();
        String suffix = HexFormat.of().toHexDigits(environment.random().nextLong());
        // The config comes last: whoever sees it, sees the directories too. Its write makes their names durable.
        if (!new RepositoryConfig(id).writeTo(environment.files(), directory, suffix)) {
            throw new StoreConflictException(directory + " is a repository already", null);
        }
        Path parent = directory.toAbsolutePath().getParent();
        if (parent != null) {
            environment.files().syncDirectory(parent);
        }
        log.info("repository {} created in {}", id, directory);
    }

    /**
     * Opens a repository with all that this process needs to read and write snapshots, and brings the chunk index up to date.
     *
     * <p>Fails with {@code StoreMissingException} when there is none, {@code StoreFormatException} when a newer program made it, and {@code
     * StoreConflictException} while another process has the index directory open.
     *
     * @param indexDirectory on a local disk; created when it is missing, but not its parent
     */
    public static Repository open(
            Path directory, Path indexDirectory, StoreOptions options, StoreEnvironment environment)
            throws StoreException {
        RepositoryConfig config = RepositoryConfig.read(environment.files(), directory);
        ChunkIndex index = RocksChunkIndex.open(indexDirectory, config.repositoryId(), options.indexCacheBytes());
        return open(directory, index, options, environment);
    }

    /** Opens with an index of the caller's choice, which belongs to the repository from now on. */
    static Repository open(Path directory, ChunkIndex index, StoreOptions options, StoreEnvironment environment)
            throws StoreException {
        Repository repository = new Repository(directory, index, options, environment);
        try {
            repository.refresh();
            return repository;
        } catch (StoreException e) {
            try {
                repository.close();
            } catch (StoreException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    /** What tells this repository from any other, wherever it is mounted. Fails as {@link #openCatalog} does. */
    public static String identity(Path directory, StoreEnvironment environment) throws StoreException {
        return RepositoryConfig.read(environment.files(), directory).repositoryId();
    }

    /** Opens only the catalog: enough to commit and to list, without an index. */
    public static CheckpointCatalog openCatalog(Path directory, StoreEnvironment environment) throws StoreException {
        RepositoryConfig.read(environment.files(), directory);
        return new CheckpointCatalog(environment.files(), environment.random(), directory);
    }

    /** Which checkpoints exist. */
    public CheckpointCatalog catalog() {
        return catalog;
    }

    /**
     * Begins to write a snapshot, knowing all chunks that are durable now, other nodes' too. Several may be written at the same time; the caller
     * closes each.
     */
    public SnapshotWriter newSnapshot(SnapshotIdentity identity) throws StoreException {
        refresh.run();
        ChunkSession session = new ChunkSession(chunks, index, packs, environment.random(), options.packTargetBytes());
        return new SnapshotWriter(identity, session, catalog, workers, environment.clock());
    }

    /** Opens an image for reading. Fails with {@code MissingChunkException} when the repository does not have it. */
    public ImageReader openImage(ImageRef ref) throws StoreException {
        return ImageReader.open(chunks, workers, ref);
    }

    /** Brings the chunk index up to date with what other processes wrote. Reads do it by themselves when they miss a chunk. */
    public IndexRefresh.Result refresh() throws StoreException {
        return refresh.run();
    }

    /** Ends the workers, then releases what they used, in the reverse order of opening. The last call. */
    @Override
    public void close() throws StoreException {
        workers.close();
        codecs.close();
        try (index) {
            packFiles.close();
        }
    }

    private static PackDirectory packDirectory(Path directory, StoreEnvironment environment) {
        return new PackDirectory(environment.files(), directory.resolve("packs"));
    }
}
