package org.stillcut.coordinator;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.stillcut.address.HostPort;
import org.stillcut.coordinator.metrics.MetricsServer;
import org.stillcut.security.Credentials;

/**
 * What a coordinator is started with.
 *
 * @param stateDirectory of the catalog and of what jobs print; on a local disk
 * @param repository directory of the checkpoints; made if it is not there
 * @param socket unix socket for users on this machine
 * @param listen address for agents, and for users elsewhere
 * @param tls who this coordinator is in TLS, which everybody who calls over TCP must then use; needed unless it listens on
 *     loopback or not at all
 * @param metrics where Prometheus reads, on loopback
 * @param agentTimeout after which a silent agent is lost
 */
record CoordinatorConfig(
        Path stateDirectory,
        Path repository,
        Path socket,
        Optional<InetSocketAddress> listen,
        Optional<Credentials> tls,
        Optional<HostPort> metrics,
        Duration agentTimeout) {
    private static final Duration LEAST_TIMEOUT = Duration.ofSeconds(1);

    CoordinatorConfig {
        if (agentTimeout.compareTo(LEAST_TIMEOUT) < 0) {
            throw new IllegalArgumentException("--agent-timeout " + agentTimeout.toMillis() + ": at least 1000");
        }
        metrics.ifPresent(MetricsServer::requireLoopback);
        if (tls.isEmpty() && listen.isPresent() && !isLoopback(listen.get())) {
            throw new IllegalArgumentException("--listen " + listen.get().getHostString()
                    + ": not on loopback, so --tls is needed (stillcut ca init)");
        }
    }

    private static boolean isLoopback(InetSocketAddress address) {
        return !address.isUnresolved() && address.getAddress().isLoopbackAddress();
    }
}
