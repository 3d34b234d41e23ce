package org.stillcut.coordinator;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.NodeUsage.Origin;
import org.stillcut.coordinator.catalog.JobCatalog;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.job.JobDirectory;
import org.stillcut.coordinator.job.JobLoop;
import org.stillcut.coordinator.job.LogContext;
import org.stillcut.coordinator.output.JobOutput;
import org.stillcut.coordinator.placement.CommonMachine;
import org.stillcut.coordinator.placement.NoRoomException;
import org.stillcut.coordinator.placement.NodeRoom;
import org.stillcut.coordinator.placement.PlacementPlanner;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.coordinator.CoordinatorProtocol;
import org.stillcut.protocol.coordinator.Transition;

/** Where new jobs come in: their files are kept, a place is found, and the job is recorded and started. Thread-safe. */
public final class JobIntake {
    private static final Logger log = LoggerFactory.getLogger(JobIntake.class);
    private static final String FILES = "files.tar";
    private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private final Path directory;
    private final JobCatalog catalog;
    private final JobDirectory jobs;
    private final NodeUsage usage;
    private final LoopFactory loops;
    private final RandomGenerator random;
    private final InstantSource clock;

    /** Makes the loop of a job. */
    @FunctionalInterface
    interface LoopFactory {
        JobLoop loop(Transition initial, JobDescription description, Instant created) throws IOException;
    }

    /** What a job needs to come in. */
    record Parts(
            Path directory,
            JobCatalog catalog,
            JobDirectory jobs,
            NodeUsage usage,
            LoopFactory loops,
            RandomGenerator random,
            InstantSource clock) {}

    JobIntake(Parts parts) {
        this.directory = parts.directory();
        this.catalog = parts.catalog();
        this.jobs = parts.jobs();
        this.usage = parts.usage();
        this.loops = parts.loops();
        this.random = parts.random();
        this.clock = parts.clock();
    }

    /** A job on its way in, with as many of its files as have arrived. Used by one thread; closing it forgets it. */
    public final class Submission implements AutoCloseable {
        private final JobDescription description;
        private final Path file;
        private final FileChannel channel;
        private long bytes;

        private Submission(JobDescription description) throws IOException {
            this.description = description;
            this.file = Files.createTempFile(directory, "incoming-", ".tar", PRIVATE);
            this.channel = FileChannel.open(file, StandardOpenOption.WRITE);
        }

        /** Takes the next piece of the job's files. */
        public void add(ByteBuffer piece) throws IOException {
            bytes += piece.remaining();
            if (bytes > description.diskBytesPerVm()) {
                throw new IllegalArgumentException("the job's files are larger than its disk");
            }
            while (piece.hasRemaining()) {
                int written = channel.write(piece);
                log.trace("{} bytes of files written", written);
            }
        }

        @Override
        public void close() {
            try {
                channel.close();
                Files.deleteIfExists(file);
            } catch (IOException e) {
                log.warn("files of a job that did not come in are left in {}", file, e);
            }
        }
    }

    /**
     * Begins to take a job in.
     *
     * @throws NoRoomException at once, before any files are sent, if there is no place for it now
     */
    public Submission begin(JobDescription description) throws NoRoomException, IOException {
        Placement possible = place(withMachine(description));
        log.debug("job {} would fit: {}", description.name(), possible);
        return new Submission(description);
    }

    /** Records the job and starts it. When this returns the job survives this process. */
    public synchronized JobId create(Submission submission) throws NoRoomException, IOException {
        JobDescription description = withMachine(submission.description);
        Placement placement = place(description);
        JobId id = freshId(description.name());
        Path home = home(id);
        Files.createDirectory(home, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        submission.channel.force(true);
        submission.channel.close();
        Files.move(submission.file, home.resolve(FILES), StandardCopyOption.ATOMIC_MOVE);
        Instant created = clock.instant();
        Transition initial = CoordinatorProtocol.create(id, placement, description.maxRestarts());
        // Whatever may fail comes before the record: once that is written the job is there.
        JobLoop loop = loops.loop(initial, description, created);
        catalog.create(id, description, created, initial.persistFirst());
        jobs.add(loop);
        try (var _ = LogContext.of(id)) {
            log.info("job {} comes in: {} VMs on {}", id, description.vmCount(), placement.agents());
        }
        return id;
    }

    /**
     * Takes up a job that another coordinator had and that the repository has checkpoints of; a job that is here already stays as it is. When this
     * returns the job survives this process; it is lost until it is restarted.
     *
     * @param epoch the last one that its checkpoints know
     * @param placement where it is going to be restarted
     */
    public synchronized JobLoop adopt(CheckpointId newest, long epoch, JobDescription description, Placement placement)
            throws IOException {
        JobId id = newest.job();
        Optional<JobLoop> present = jobs.find(id);
        if (present.isPresent()) {
            return present.get();
        }
        // What an attempt that was cut short has made of it is of no use.
        Files.createDirectories(
                home(id), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        JobOutput.beginLater(home(id));
        Instant created = clock.instant();
        Transition initial = CoordinatorProtocol.adopt(id, placement, description.maxRestarts(), epoch, newest);
        JobLoop loop = loops.loop(initial, description, created);
        catalog.create(id, description, created, initial.persistFirst());
        jobs.add(loop);
        log.info("job {} is taken up from checkpoint {} in the repository", id, newest);
        return loop;
    }

    /** The archive of the files a job started with. */
    public Path filesOf(JobId id) {
        return home(id).resolve(FILES);
    }

    /** The directory of what is kept of a job. */
    Path home(JobId id) {
        return directory.resolve(id.value());
    }

    /** Where the job starts decides first, since there it must run; a restart may go wherever that machine is. */
    private JobDescription withMachine(JobDescription description) {
        Optional<String> machine = CommonMachine.of(usage.machines(description.image(), description.nodes()));
        return description.on(machine.orElse(""));
    }

    private Placement place(JobDescription description) throws NoRoomException {
        return PlacementPlanner.plan(
                description.vmCount(),
                description.vcpusPerVm(),
                description.memoryBytesPerVm(),
                rooms(description),
                List.copyOf(description.nodes()));
    }

    private List<NodeRoom> rooms(JobDescription description) {
        List<NodeRoom> rooms = usage.fit(usage.rooms(), description, Origin.BOOT);
        SortedSet<String> images = usage.images();
        if (rooms.isEmpty() && !images.isEmpty() && !images.contains(description.image())) {
            throw new IllegalArgumentException("no node has the guest image '" + description.image() + "'; there are: "
                    + String.join(", ", images));
        }
        usage.requireFit(description.nodes(), description, Origin.BOOT);
        return rooms.stream()
                .map(room -> room.atMost(mostVms(description, room.agent().value()), description.vcpusPerVm()))
                .toList();
    }

    private static int mostVms(JobDescription description, String node) {
        int index = description.nodes().indexOf(node);
        return index < 0 || index >= description.mostVmsPerNode().size()
                ? 0
                : description.mostVmsPerNode().get(index);
    }

    private JobId freshId(String name) {
        JobId id;
        do {
            id = new JobId(name + "-" + String.format("%08x", random.nextInt()));
        } while (Files.exists(home(id)));
        return id;
    }
}
