package org.stillcut.agent;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.address.HostPort;
import org.stillcut.agent.linux.CommandException;
import org.stillcut.security.Credentials;
import org.stillcut.security.TlsDirectory;
import org.stillcut.security.TlsException;
import org.stillcut.store.StoreException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The agent process of a node: {@code stillcut agent}. Must be root. Runs until a signal ends it, and its VMs with it. */
@Command(name = "stillcut agent", description = "Runs the VMs of jobs on this node.", mixinStandardHelpOptions = true)
public final class AgentMain implements Callable<Integer> {
    private static final Logger log = LoggerFactory.getLogger(AgentMain.class);

    /**
     * RAM is on a tmpfs, which by default may take half of the machine's memory, and a first checkpoint copies as much of it
     * as guests use.
     */
    private static final int MEMORY_SHARE = 4;

    @Option(names = "--node", required = true, description = "This node's name.")
    private String node = "";

    @Option(names = "--coordinator", required = true, paramLabel = "HOST:PORT", description = "Where it listens.")
    private String coordinator = "";

    @Option(
            names = "--tls",
            paramLabel = "DIR",
            description =
                    "ca.pem, cert.pem, key.pem; needed unless the coordinator is on loopback; default: $STILLCUT_TLS")
    private @Nullable Path tls;

    @Option(
            names = "--data-address",
            required = true,
            paramLabel = "ADDRESS",
            description = "This node's address in the network between the nodes, for the tunnels between VMs.")
    private String dataAddress = "";

    @Option(
            names = "--state-dir",
            defaultValue = "/var/lib/stillcut/agent",
            description = "Disks of VMs, sockets, chunk index; default: ${DEFAULT-VALUE}")
    private Path stateDirectory = Path.of("");

    @Option(
            names = "--ram-dir",
            defaultValue = "/dev/shm/stillcut",
            description = "Where guests' RAM is, on a tmpfs; default: ${DEFAULT-VALUE}")
    private Path ramDirectory = Path.of("");

    @Option(
            names = "--cache-dir",
            defaultValue = "/var/cache/stillcut",
            description = "What is known of this machine until it boots anew; default: ${DEFAULT-VALUE}")
    private Path cacheDirectory = Path.of("");

    @Option(
            names = "--repository",
            defaultValue = "/var/lib/stillcut/repository",
            description = "Directory of the checkpoints, which all agents see; default: ${DEFAULT-VALUE}")
    private Path repository = Path.of("");

    @Option(names = "--image-dir", defaultValue = "${sys:stillcut.image}", description = "The guest images.")
    private Path imageDirectory = Path.of("");

    @Option(names = "--slots", defaultValue = "0", description = "Virtual CPUs to offer; default: the machine's.")
    private int vcpuSlots;

    @Option(names = "--memory-mib", defaultValue = "0", description = "Guest memory to offer; default: a quarter.")
    private long memoryMib;

    public static void main(String[] arguments) {
        System.exit(execute(arguments));
    }

    static int execute(String... arguments) {
        CommandLine commandLine = new CommandLine(new AgentMain());
        commandLine.setParameterExceptionHandler((exception, words) -> {
            String problem = String.valueOf(exception.getMessage()).replace('\n', ' ');
            System.err.println("stillcut agent: " + problem + " (stillcut agent --help tells more)");
            return CommandLine.ExitCode.USAGE;
        });
        return commandLine.execute(arguments);
    }

    @Override
    public Integer call() throws InterruptedException {
        CountDownLatch ended = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        AgentConfig config;
        try {
            config = config();
        } catch (TlsException e) {
            System.err.println("stillcut agent: --tls: " + e.line());
            return 2;
        } catch (IllegalArgumentException | UnknownHostException e) {
            System.err.println("stillcut agent: " + e.getMessage());
            return 2;
        }
        try (Agent agent = Agent.open(config)) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> awaitClose(ended, closed), "shutdown"));
            log.debug("{} runs", agent);
            ended.await();
        } catch (IOException | StoreException | CommandException e) {
            log.debug("agent cannot start or end", e);
            System.err.println("stillcut agent: " + e.getMessage());
            return 1;
        } finally {
            closed.countDown();
        }
        return 0;
    }

    /** VMs and natives must be closed in order before the process goes, so its end waits for that. */
    private static void awaitClose(CountDownLatch ended, CountDownLatch closed) {
        ended.countDown();
        try {
            closed.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Optional<Credentials> credentials() throws TlsException {
        Optional<Path> directory = TlsDirectory.chosen(tls);
        return directory.isEmpty()
                ? Optional.empty()
                : Optional.of(Credentials.load(directory.get(), Instant.now()).requireAgent(node));
    }

    private AgentConfig config() throws UnknownHostException, TlsException {
        if (!node.matches("[A-Za-z0-9][A-Za-z0-9.-]{0,62}")) {
            throw new IllegalArgumentException("--node " + node + ": letters, digits, '.' and '-'");
        }
        HostPort address = HostPort.parse(coordinator)
                .orElseThrow(() -> new IllegalArgumentException("--coordinator " + coordinator + ": not HOST:PORT"));
        Path natives = Path.of(System.getProperty("stillcut.native", "build/native"));
        return new AgentConfig(
                node,
                address,
                credentials(),
                InetAddress.getByName(dataAddress),
                stateDirectory.toAbsolutePath(),
                ramDirectory.toAbsolutePath(),
                cacheDirectory.toAbsolutePath(),
                repository.toAbsolutePath(),
                imageDirectory.toAbsolutePath(),
                natives.resolve("kvmprobe.bin"),
                natives.resolve("libstillcut-track.so"),
                vcpuSlots > 0 ? vcpuSlots : Runtime.getRuntime().availableProcessors(),
                memoryMib > 0 ? memoryMib << 20 : HostMemory.totalBytes() / MEMORY_SHARE);
    }
}
