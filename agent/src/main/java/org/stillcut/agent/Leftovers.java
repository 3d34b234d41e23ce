package org.stillcut.agent;

import java.io.IOException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.gang.GangRemains;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.network.NetworkException;
import org.stillcut.agent.network.NetworkLeftovers;

/**
 * Removes what an agent that was killed has left: VMs, networks, files. A VM without its agent cannot be driven any more, and
 * must not run beside the same VM of a restarted job. All of them run in the agent's own namespaces.
 */
final class Leftovers {
    private static final Logger log = LoggerFactory.getLogger(Leftovers.class);

    private Leftovers() {}

    static void remove(Path stateDirectory, Path ramDirectory, String namespacePrefix, CommandRunner commands)
            throws IOException, InterruptedException {
        NetworkLeftovers networks = new NetworkLeftovers(commands);
        for (String namespace : networks.find(namespacePrefix)) {
            try {
                log.warn("removing network namespace {} of an earlier agent", namespace);
                networks.remove(namespace);
            } catch (NetworkException e) {
                throw new IOException("network namespace " + namespace + " of an earlier agent cannot be removed", e);
            }
        }
        GangRemains.delete(stateDirectory, ramDirectory);
    }
}
