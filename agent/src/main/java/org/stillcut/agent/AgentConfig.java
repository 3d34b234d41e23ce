package org.stillcut.agent;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.Optional;
import org.stillcut.address.HostPort;
import org.stillcut.security.Credentials;
import org.stillcut.security.PlainConnections;

/**
 * What an agent is started with.
 *
 * @param node the node's name
 * @param coordinator where the coordinator listens for agents
 * @param tls who this agent is in TLS; needed unless the coordinator is on loopback
 * @param dataAddress this node's end of the tunnels between VMs
 * @param stateDirectory for disks, sockets and the chunk index; on a local disk
 * @param ramDirectory for guests' RAM, on a tmpfs
 * @param cacheDirectory for what is known of this machine until it boots anew
 * @param repository directory of the checkpoints
 * @param imageDirectory of the guest images
 * @param probeImage that tells whether KVM works
 * @param trackLibrary preloaded into QEMU, so that writes to RAM can be tracked
 * @param vcpuSlots virtual CPUs that VMs may have in all
 * @param memoryBytes guest memory that VMs may have in all
 */
record AgentConfig(
        String node,
        HostPort coordinator,
        Optional<Credentials> tls,
        InetAddress dataAddress,
        Path stateDirectory,
        Path ramDirectory,
        Path cacheDirectory,
        Path repository,
        Path imageDirectory,
        Path probeImage,
        Path trackLibrary,
        int vcpuSlots,
        long memoryBytes) {
    AgentConfig {
        if (tls.isEmpty() && !PlainConnections.isAllowed(coordinator)) {
            throw new IllegalArgumentException(
                    "--coordinator " + coordinator + ": not on loopback, so --tls is needed (stillcut ca init)");
        }
    }
}
