package org.stillcut.coordinator;

import io.grpc.BindableService;
import io.grpc.protobuf.services.HealthStatusManager;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.catalog.JobCatalog;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.catalog.StoredJob;
import org.stillcut.coordinator.files.FilesDesk;
import org.stillcut.coordinator.job.ChangeSignal;
import org.stillcut.coordinator.job.CommitException;
import org.stillcut.coordinator.job.JobDirectory;
import org.stillcut.coordinator.job.JobLoop;
import org.stillcut.coordinator.job.LogContext;
import org.stillcut.coordinator.job.Timeline;
import org.stillcut.coordinator.membership.AgentEntry;
import org.stillcut.coordinator.membership.AgentRegistry;
import org.stillcut.coordinator.membership.MembershipListener;
import org.stillcut.coordinator.membership.NodeStatus;
import org.stillcut.coordinator.metrics.CoordinatorMetrics;
import org.stillcut.coordinator.metrics.MetricsServer;
import org.stillcut.coordinator.output.JobOutput;
import org.stillcut.coordinator.rpc.AgentServiceImpl;
import org.stillcut.coordinator.rpc.CheckpointServiceImpl;
import org.stillcut.coordinator.rpc.JobServiceImpl;
import org.stillcut.coordinator.rpc.NodeServiceImpl;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.coordinator.CoordinatorProtocol;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.Transition;
import org.stillcut.security.PrivateDirectory;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreException;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.StoreEnvironment;

/**
 * A running coordinator: opened with everything it was responsible for before, closed in the reverse order. Jobs do not
 * need it to run; they are found again by the next one.
 */
final class Coordinator implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Coordinator.class);
    private static final int TIMER_THREADS = 1;

    private final InstantSource clock = InstantSource.system();
    private final Path jobHome;
    private final JobCatalog catalog;
    private final CheckpointRecords checkpoints;
    private final JobDirectory jobs = new JobDirectory();
    private final AgentRegistry registry;
    private final ScheduledExecutorService timer;
    private final ExecutorService background;
    private final CoordinatorShell shell;
    private final ScheduledFuture<?> expiry;
    private final CoordinatorMetrics metrics = new CoordinatorMetrics();
    private final HealthStatusManager health = new HealthStatusManager();
    private final Optional<MetricsServer> metricsServer;
    private final CoordinatorServer server;

    private Coordinator(
            CoordinatorConfig config,
            JobCatalog catalog,
            CheckpointRecords checkpoints,
            String repository,
            Runnable end)
            throws IOException, CommitException {
        this.jobHome = privateDirectory(config.stateDirectory().resolve("jobs"));
        this.catalog = catalog;
        this.checkpoints = checkpoints;
        this.registry = new AgentRegistry(clock, config.agentTimeout(), new Joining());
        this.timer = Executors.newScheduledThreadPool(
                TIMER_THREADS, Thread.ofPlatform().name("timer").daemon().factory());
        this.background = Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name("background-", 0).factory());
        NodeUsage usage = new NodeUsage(registry, jobs);
        this.shell = new CoordinatorShell(
                new CoordinatorShell.Parts(catalog, checkpoints, registry, usage, timer, background, metrics, end));
        JobIntake intake = new JobIntake(
                new JobIntake.Parts(jobHome, catalog, jobs, usage, this::loop, new SecureRandom(), clock));
        FilesDesk files = FilesDesk.open(jobHome);
        recoverJobs();
        long lookMillis = registry.heartbeat().toMillis();
        this.expiry = timer.scheduleWithFixedDelay(this::expire, lookMillis, lookMillis, TimeUnit.MILLISECONDS);
        List<BindableService> services = List.of(
                new JobServiceImpl(jobs, intake, registry, files, background),
                new CheckpointServiceImpl(jobs, intake, checkpoints, shell::place, files, background),
                new NodeServiceImpl(registry, usage),
                new AgentServiceImpl(new AgentEntry(registry, repository), jobs, intake, files, background),
                health.getHealthService());
        metrics.show(
                () -> jobs.all().stream().map(loop -> loop.state().phase()).toList(),
                () -> registry.nodes().stream().map(NodeStatus::state).toList());
        this.metricsServer = metricsServer(config);
        try {
            this.server = new CoordinatorServer(config, services);
        } catch (IOException | RuntimeException e) {
            // The loops run already, and the catalog below them is about to be closed.
            metricsServer.ifPresent(MetricsServer::close);
            closeLoops();
            throw e;
        }
    }

    /**
     * Opens the catalog and the repository, takes up the jobs again, and begins to listen.
     *
     * @param end is run when the coordinator cannot go on
     */
    static Coordinator open(CoordinatorConfig config, Runnable end)
            throws IOException, StoreException, CommitException {
        privateDirectory(config.stateDirectory());
        JobCatalog catalog = JobCatalog.open(config.stateDirectory().resolve("catalog"));
        try {
            StoreEnvironment environment = StoreEnvironment.system();
            try {
                Repository.create(config.repository(), environment);
            } catch (StoreConflictException e) {
                log.debug("repository {} is there", config.repository());
            }
            CheckpointRecords checkpoints = new CheckpointRecords(
                    Repository.openCatalog(config.repository(), environment), environment.clock());
            String repository = Repository.identity(config.repository(), environment);
            return new Coordinator(config, catalog, checkpoints, repository, end);
        } catch (IOException | StoreException | CommitException | RuntimeException e) {
            catalog.close();
            throw e;
        }
    }

    private void recoverJobs() throws IOException, CommitException {
        for (StoredJob stored : catalog.load()) {
            var state = CoordinatorProtocol.recover(stored.records(), checkpoints.newest(stored.id()));
            JobLoop loop = loop(new Transition(state, List.of(), List.of()), stored.description(), stored.created());
            loop.post(new JobEvent.Recovered());
            state.job().placement().agents().forEach(registry::expect);
            jobs.add(loop);
            try (var _ = LogContext.of(stored.id())) {
                log.info("job {} taken up again: {}", stored.id(), state.describe());
            }
        }
    }

    private JobLoop loop(Transition initial, JobDescription description, Instant created) throws IOException {
        ChangeSignal changes = new ChangeSignal();
        Path home = jobHome.resolve(initial.next().job().id().value());
        JobOutput output = JobOutput.open(home, changes::raise);
        return new JobLoop(
                initial, new JobLoop.Parts(description, created, output, new Timeline(clock), changes, shell));
    }

    /** Before a job hears of a node, its address is on record: commands of a later coordinator may need it. */
    private final class Joining implements MembershipListener {
        @Override
        public void agentConnected(AgentId agent, SortedSet<Incarnation> held) {
            registry.profile(agent).ifPresent(profile -> catalog.rememberAddress(agent, profile.dataAddress()));
            jobs.agentConnected(agent, held);
        }

        @Override
        public void agentLost(AgentId agent) {
            jobs.agentLost(agent);
        }
    }

    private void expire() {
        try {
            registry.expire();
        } catch (RuntimeException e) {
            // A periodic task that throws is never run again.
            log.error("looking for lost agents failed", e);
        }
    }

    private Optional<MetricsServer> metricsServer(CoordinatorConfig config) throws IOException {
        try {
            return config.metrics().isEmpty()
                    ? Optional.empty()
                    : Optional.of(new MetricsServer(config.metrics().get(), metrics));
        } catch (IOException | RuntimeException e) {
            closeLoops();
            throw e;
        }
    }

    /** The HTTP port of the metrics; 0: none. */
    int metricsPort() {
        return metricsServer.map(MetricsServer::port).orElse(0);
    }

    /** The TCP port it listens on; 0: none. */
    int port() {
        return server.port();
    }

    private static Path privateDirectory(Path directory) throws IOException {
        PrivateDirectory.make(directory);
        return directory;
    }

    @Override
    public void close() {
        health.enterTerminalState();
        server.close();
        metricsServer.ifPresent(MetricsServer::close);
        closeLoops();
        catalog.close();
    }

    private void closeLoops() {
        expiry.cancel(false);
        jobs.close();
        timer.shutdownNow();
        background.shutdownNow();
    }
}
