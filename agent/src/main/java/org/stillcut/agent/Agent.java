package org.stillcut.agent;

import java.io.IOException;
import java.security.SecureRandom;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.capture.DirtyTracking;
import org.stillcut.agent.capture.Pace;
import org.stillcut.agent.capture.SnapshotVault;
import org.stillcut.agent.gang.GuestImages;
import org.stillcut.agent.gang.HostEnvironment;
import org.stillcut.agent.gang.Rehearsal;
import org.stillcut.agent.linux.CommandException;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.linux.HostCommandRunner;
import org.stillcut.agent.qemu.AcceleratorProbe;
import org.stillcut.agent.qemu.AcceleratorVerdict;
import org.stillcut.agent.qemu.VmMachine;
import org.stillcut.agent.rpc.CoordinatorSession;
import org.stillcut.agent.rpc.NodeDescriptions;
import org.stillcut.agent.runtime.AgentLoop;
import org.stillcut.protocol.AgentId;
import org.stillcut.security.PrivateDirectory;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreException;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.StoreEnvironment;
import org.stillcut.store.repository.StoreOptions;

/** A running agent: opened on a clean node, closed with all its VMs ended. */
final class Agent implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Agent.class);

    private final StateLock lock;
    private final Repository repository;
    private final CoordinatorSession session;
    private final AgentLoop loop;

    private Agent(StateLock lock, Repository repository, CoordinatorSession session, AgentLoop loop) {
        this.lock = lock;
        this.repository = repository;
        this.session = session;
        this.loop = loop;
    }

    /** Removes what an earlier agent left, finds out what the node can do, and begins to keep a session. */
    static Agent open(AgentConfig config) throws IOException, StoreException, CommandException, InterruptedException {
        CommandRunner commands = new HostCommandRunner();
        PrivateDirectory.make(config.stateDirectory());
        // First of all: what looks like an earlier agent's remains could be a living one's VMs.
        StateLock lock = StateLock.take(config.stateDirectory());
        boolean open = false;
        try {
            Agent agent = open(config, lock, commands);
            open = true;
            return agent;
        } finally {
            if (!open) {
                lock.close();
            }
        }
    }

    private static Agent open(AgentConfig config, StateLock lock, CommandRunner commands)
            throws IOException, StoreException, CommandException, InterruptedException {
        String prefix = "sc-" + NodeKey.of(config.stateDirectory(), new SecureRandom()) + "-";
        Leftovers.remove(config.stateDirectory(), config.ramDirectory(), prefix, commands);
        PrivateDirectory.make(config.ramDirectory());
        PrivateDirectory.make(config.cacheDirectory());
        GuestImages images = GuestImages.open(config.imageDirectory());
        AcceleratorVerdict verdict = AcceleratorProbe.onThisHost(
                        VmMachine.DEFAULT_PROGRAM, config.probeImage(), config.cacheDirectory())
                .probe();
        DirtyTracking tracking = new DirtyTracking(config.trackLibrary());
        Rehearsal.Verdict tracker = new Rehearsal(
                        config.stateDirectory(),
                        config.ramDirectory(),
                        prefix,
                        verdict.accelerator(),
                        tracking,
                        commands)
                .run();
        String qemuVersion = QemuVersion.of(VmMachine.DEFAULT_PROGRAM, commands);
        Repository repository = openRepository(config);
        CoordinatorSession session = new CoordinatorSession(
                NodeDescriptions.describe(
                        config.node(),
                        config.dataAddress().getHostAddress(),
                        config.vcpuSlots(),
                        config.memoryBytes(),
                        verdict,
                        tracker,
                        qemuVersion,
                        images.names(),
                        Repository.identity(config.repository(), StoreEnvironment.system())),
                config.coordinator(),
                config.tls());
        String accelerator = verdict.accelerator().name().toLowerCase(Locale.ROOT);
        HostEnvironment host = new HostEnvironment(
                config.node(),
                config.dataAddress(),
                config.stateDirectory(),
                config.ramDirectory(),
                images,
                prefix,
                verdict.accelerator(),
                new TreeMap<>(Map.of("machine.accelerator", accelerator)),
                tracker.machines(),
                tracking,
                new SnapshotVault(repository, Pace.DEFAULT),
                session,
                commands);
        AgentLoop loop = new AgentLoop(new AgentId(config.node()), host, session);
        session.start(loop);
        log.info("agent {} is up, {}, {}, QEMU {}", config.node(), verdict, tracker, qemuVersion);
        return new Agent(lock, repository, session, loop);
    }

    private static Repository openRepository(AgentConfig config) throws StoreException {
        StoreEnvironment environment = StoreEnvironment.system();
        try {
            Repository.create(config.repository(), environment);
        } catch (StoreConflictException e) {
            log.debug("repository {} is there", config.repository());
        }
        return Repository.open(
                config.repository(), config.stateDirectory().resolve("index"), StoreOptions.DEFAULT, environment);
    }

    @Override
    public void close() throws StoreException, IOException {
        try (lock;
                repository;
                session) {
            loop.close();
        }
    }
}
