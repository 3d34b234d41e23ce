package org.stillcut.store.repository;

import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.ImageRef;
import org.stillcut.store.PackId;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.chunk.ChunkSession;
import org.stillcut.store.chunk.ChunkStore;
import org.stillcut.store.codec.CodecPool;
import org.stillcut.store.hold.Hold;
import org.stillcut.store.hold.HoldContent;
import org.stillcut.store.hold.HoldContent.Purpose;
import org.stillcut.store.image.ImageReader;
import org.stillcut.store.index.ChunkIndex;
import org.stillcut.store.index.IndexRefresh;
import org.stillcut.store.index.RocksChunkIndex;
import org.stillcut.store.inspect.CheckpointDifference;
import org.stillcut.store.inspect.Statistics;
import org.stillcut.store.inspect.StoreStatistics;
import org.stillcut.store.inspect.Verify;
import org.stillcut.store.inspect.VerifyReport;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.manifest.CheckpointKeeper;
import org.stillcut.store.pack.PackDirectory;
import org.stillcut.store.pack.PackFiles;
import org.stillcut.store.progress.Progress;
import org.stillcut.store.prune.Prune;
import org.stillcut.store.prune.PruneOptions;
import org.stillcut.store.prune.PruneReport;
import org.stillcut.store.transfer.Export;
import org.stillcut.store.transfer.ExportReport;
import org.stillcut.store.transfer.Import;
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
    private final SnapshotHolds holds;
    private final Path directory;

    private Repository(Path directory, ChunkIndex index, StoreOptions options, StoreEnvironment environment) {
        this.directory = directory;
        this.environment = environment;
        this.options = options;
        this.index = index;
        catalog = new CheckpointCatalog(environment.files(), environment.random(), directory);
        packs = packDirectory(directory, environment);
        packFiles = new PackFiles(packs);
        refresh = new IndexRefresh(index, packs, packFiles);
        chunks = new ChunkStore(index, packFiles, refresh);
        codecs = new CodecPool(options.zstdLevel(), 2 * options.workerThreads() + 2);
        workers = new WorkerPool(options.workerThreads(), codecs);
        holds = new SnapshotHolds(catalog, packs, chunks, codecs);
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
            repository.catalog.holds().create();
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
        CheckpointCatalog catalog = new CheckpointCatalog(environment.files(), environment.random(), directory);
        catalog.holds().create();
        return catalog;
    }

    /** Changes which checkpoints exist, and what is noted about them. */
    public CheckpointKeeper keeper() {
        return new CheckpointKeeper(catalog);
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
        // In this order: a prune either sees that somebody writes and waits, or is seen by the list of what it is about
        // to
        // remove, or is over.
        Hold hold = catalog.holds().open(new HoldContent(Purpose.WRITING, List.of(), List.of()));
        try {
            Set<PackId> condemned = condemnedPacks();
            refresh.run();
            ChunkSession session =
                    new ChunkSession(chunks, index, packs, environment.random(), condemned, options.packTargetBytes());
            return new SnapshotWriter(identity, session, hold, holds, catalog, workers, environment.clock());
        } catch (StoreException e) {
            hold.close();
            throw e;
        }
    }

    /** To be held before a session begins: a prune either sees that somebody writes and waits, or is seen by its list, or is over. */
    private Hold holdForWriting() throws StoreException {
        return catalog.holds().open(new HoldContent(Purpose.WRITING, List.of(), List.of()));
    }

    private ChunkSession newSession() throws StoreException {
        Set<PackId> condemned = condemnedPacks();
        refresh.run();
        return new ChunkSession(chunks, index, packs, environment.random(), condemned, options.packTargetBytes());
    }

    private Set<PackId> condemnedPacks() throws StoreException {
        try {
            return packs.condemned().read();
        } catch (StoreCorruptException e) {
            log.warn("the list of condemned packs is damaged; what this snapshot needs is stored anew", e);
            return index.absorbedPacks();
        }
    }

    /**
     * Holds a snapshot that is going to be read, until the same VM's next one is finished, read or released: meanwhile its checkpoint is not
     * forgotten, and its chunks stay. Fails with {@code StoreMissingException} when the checkpoint is gone.
     */
    public void holdForReading(CheckpointRef checkpoint, SnapshotRef ref, SnapshotManifest snapshot)
            throws StoreException {
        holds.hold(Purpose.READING, ref, snapshot);
        if (catalog.findCheckpoint(checkpoint.job(), checkpoint.sequence()).isEmpty()) {
            release(snapshot.identity().job(), snapshot.identity().vmIndex());
            throw new StoreMissingException("checkpoint " + checkpoint + " was forgotten", null);
        }
    }

    /** Lets go what is held of a VM that will not be written or read any more. May be repeated. */
    public void release(String job, int vmIndex) throws StoreException {
        holds.release(job, vmIndex);
    }

    /** Removes what no checkpoint needs; see {@link Prune#run}. */
    public PruneReport prune(PruneOptions pruneOptions, Progress progress) throws StoreException {
        Prune.Parts parts = new Prune.Parts(
                environment.files(),
                environment.random(),
                directory,
                catalog,
                packs,
                index,
                refresh,
                chunks,
                codecs,
                options.packTargetBytes());
        return new Prune(parts, pruneOptions, progress).run();
    }

    /** Opens an image for reading. Fails with {@code MissingChunkException} when the repository does not have it. */
    public ImageReader openImage(ImageRef ref) throws StoreException {
        return ImageReader.open(chunks, workers, ref);
    }

    /** Looks for damage; see {@link Verify#run}. */
    public VerifyReport verify(boolean readData, Progress progress) throws StoreException {
        return new Verify(catalog, packs, index, refresh, chunks, workers).run(readData, progress);
    }

    /** What the repository holds. */
    public StoreStatistics statistics() throws StoreException {
        return new Statistics(catalog, packs).run(packs.listDurable(index.absorbedPacks()));
    }

    /** Writes a checkpoint into one file that stands alone; see {@link Export#run}. */
    public ExportReport exportTo(Path file, CheckpointRef checkpoint, Progress progress) throws StoreException {
        return new Export(catalog, chunks, codecs, environment.files(), progress)
                .run(
                        checkpoint,
                        file,
                        HexFormat.of().toHexDigits(environment.random().nextLong()));
    }

    /** Takes a checkpoint out of an export file; see {@link Import#run}. */
    public ExportReport importFrom(Path file, Optional<String> job, Progress progress) throws StoreException {
        try (Hold _ = holdForWriting();
                ChunkSession session = newSession()) {
            return new Import(catalog, session, codecs, environment.files(), progress).run(file, job);
        }
    }

    /** How two checkpoints differ; see {@link CheckpointDifference#of}. */
    public CheckpointDifference difference(CheckpointRef left, CheckpointRef right) throws StoreException {
        return CheckpointDifference.of(left, right, catalog, chunks, codecs);
    }

    /** Empties the chunk index and fills it again from all packs, whatever it knew. */
    public IndexRefresh.Result rebuildIndex() throws StoreException {
        return refresh.rebuild();
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
        try (index;
                packFiles) {
            holds.close();
        }
    }

    private static PackDirectory packDirectory(Path directory, StoreEnvironment environment) {
        return new PackDirectory(environment.files(), directory.resolve("packs"));
    }
}
