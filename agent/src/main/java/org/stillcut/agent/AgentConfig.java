package org.stillcut.agent;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;

/**
 * What an agent is started with.
 *
 * @param node the node's name
 * @param coordinator where the coordinator listens for agents
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
        InetSocketAddress coordinator,
        InetAddress dataAddress,
        Path stateDirectory,
        Path ramDirectory,
        Path cacheDirectory,
        Path repository,
        Path imageDirectory,
        Path probeImage,
        Path trackLibrary,
        int vcpuSlots,
        long memoryBytes) {}
