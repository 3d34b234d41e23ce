package org.stillcut.coordinator;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.address.HostPort;
import org.stillcut.coordinator.job.CommitException;
import org.stillcut.security.Credentials;
import org.stillcut.security.Role;
import org.stillcut.security.TlsDirectory;
import org.stillcut.security.TlsException;
import org.stillcut.store.StoreException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The coordinator process: {@code stillcut coordinator}. Runs until a signal ends it. */
@Command(
        name = "stillcut coordinator",
        description = "Coordinates the agents of a cluster.",
        mixinStandardHelpOptions = true)
public final class CoordinatorMain implements Callable<Integer> {
    private static final Logger log = LoggerFactory.getLogger(CoordinatorMain.class);

    @Option(
            names = "--state-dir",
            defaultValue = "/var/lib/stillcut/coordinator",
            description = "Catalog and job output; default: ${DEFAULT-VALUE}")
    private Path stateDirectory = Path.of("");

    @Option(
            names = "--repository",
            defaultValue = "/var/lib/stillcut/repository",
            description = "Directory of the checkpoints, which all agents see; default: ${DEFAULT-VALUE}")
    private Path repository = Path.of("");

    @Option(
            names = "--socket",
            defaultValue = "/run/stillcut/coordinator.sock",
            description = "Unix socket for users; default: ${DEFAULT-VALUE}")
    private Path socket = Path.of("");

    @Option(names = "--listen", paramLabel = "HOST:PORT", description = "Address for agents; default: none")
    private @Nullable String listen;

    @Option(
            names = "--tls",
            paramLabel = "DIR",
            description = "ca.pem, cert.pem, key.pem; needed unless --listen is on loopback; default: $STILLCUT_TLS")
    private @Nullable Path tls;

    @Option(
            names = "--metrics",
            paramLabel = "HOST:PORT",
            description = "Where Prometheus reads, on loopback; default: none")
    private @Nullable String metrics;

    @Option(
            names = "--agent-timeout",
            paramLabel = "MILLIS",
            defaultValue = "10000",
            description = "An agent not heard for so long is lost; default: ${DEFAULT-VALUE}")
    private long agentTimeoutMillis;

    public static void main(String[] arguments) {
        System.exit(execute(arguments));
    }

    static int execute(String... arguments) {
        CommandLine commandLine = new CommandLine(new CoordinatorMain());
        commandLine.setParameterExceptionHandler((exception, words) -> {
            String problem = String.valueOf(exception.getMessage()).replace('\n', ' ');
            System.err.println("stillcut coordinator: " + problem + " (stillcut coordinator --help tells more)");
            return CommandLine.ExitCode.USAGE;
        });
        return commandLine.execute(arguments);
    }

    @Override
    public Integer call() throws InterruptedException {
        CoordinatorConfig config;
        try {
            config = new CoordinatorConfig(
                    stateDirectory.toAbsolutePath(),
                    repository.toAbsolutePath(),
                    socket.toAbsolutePath(),
                    Optional.ofNullable(listen).map(CoordinatorMain::address),
                    credentials(),
                    Optional.ofNullable(metrics).map(CoordinatorMain::metricsAddress),
                    Duration.ofMillis(agentTimeoutMillis));
        } catch (TlsException e) {
            System.err.println("stillcut coordinator: --tls: " + e.line());
            return 2;
        } catch (IllegalArgumentException e) {
            System.err.println("stillcut coordinator: " + e.getMessage());
            return 2;
        }
        CountDownLatch ended = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        AtomicBoolean failed = new AtomicBoolean();
        Runnable giveUp = () -> {
            failed.set(true);
            ended.countDown();
        };
        try (Coordinator coordinator = Coordinator.open(config, giveUp)) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> awaitClose(ended, closed), "shutdown"));
            log.info("coordinator is up: {} and {}, {}", socket, listen, coordinator);
            ended.await();
        } catch (IOException | StoreException | CommitException e) {
            log.debug("coordinator cannot start", e);
            System.err.println("stillcut coordinator: cannot start: " + e.getMessage());
            return 1;
        } finally {
            closed.countDown();
        }
        return failed.get() ? 1 : 0;
    }

    /** Natives must be closed in order before the process goes, so its end waits for that. */
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
                : Optional.of(Credentials.load(directory.get(), Instant.now()).require(EnumSet.of(Role.COORDINATOR)));
    }

    private static HostPort metricsAddress(String text) {
        return HostPort.parse(text)
                .orElseThrow(() -> new IllegalArgumentException("--metrics " + text + ": not HOST:PORT"));
    }

    private static InetSocketAddress address(String text) {
        return HostPort.parse(text)
                .map(address -> new InetSocketAddress(address.host(), address.port()))
                .orElseThrow(() -> new IllegalArgumentException("--listen " + text + ": not HOST:PORT"));
    }
}
