package org.stillcut.agent.gang;

import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import org.stillcut.agent.capture.DirtyTracking;
import org.stillcut.agent.capture.SnapshotVault;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.qemu.Accelerator;
import org.stillcut.agent.qemu.MachineModel;

/**
 * What this node gives to all gangs.
 *
 * @param node its name
 * @param dataAddress this node's end of the tunnels between VMs
 * @param stateDirectory for disks and sockets
 * @param ramDirectory for RAM, on a tmpfs
 * @param images that guests boot from
 * @param namespacePrefix begins the names of the network namespaces that are this agent's
 * @param machine what a snapshot must fit to be restored here
 * @param machines that VMs can have here; empty: not known
 * @param tracking of what VMs write to their RAM
 */
public record HostEnvironment(
        String node,
        InetAddress dataAddress,
        Path stateDirectory,
        Path ramDirectory,
        GuestImages images,
        String namespacePrefix,
        Accelerator accelerator,
        SortedMap<String, String> machine,
        List<MachineModel> machines,
        DirtyTracking tracking,
        SnapshotVault vault,
        JobFilesSource files,
        CommandRunner commands) {}
