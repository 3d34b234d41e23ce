package org.stillcut.coordinator;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What a coordinator is started with.
 *
 * @param stateDirectory of the catalog and of what jobs print; on a local disk
 * @param repository directory of the checkpoints; made if it is not there
 * @param socket unix socket for users on this machine
 * @param listen address for agents, and for users elsewhere
 * @param agentTimeout after which a silent agent is lost
 */
record CoordinatorConfig(
        Path stateDirectory, Path repository, Path socket, Optional<InetSocketAddress> listen, Duration agentTimeout) {
    private static final Duration LEAST_TIMEOUT = Duration.ofSeconds(1);

    CoordinatorConfig {
        if (agentTimeout.compareTo(LEAST_TIMEOUT) < 0) {
            throw new IllegalArgumentException("--agent-timeout " + agentTimeout.toMillis() + ": at least 1000");
        }
    }
}
