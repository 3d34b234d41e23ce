package org.stillcut.agent.network;

import java.net.InetAddress;
import java.util.List;

/**
 * The tunnel that joins the parts of a job's network on several nodes.
 *
 * @param vni the network identifier in each packet. A new one for each incarnation of a job keeps the packets of VMs
 *     that should be dead out of the restarted job's network
 * @param local this node's address on the network between the nodes
 * @param peers the other nodes of the job; at least one
 */
public record Vxlan(int vni, InetAddress local, List<InetAddress> peers) {

    private static final int VNI_LIMIT = 1 << 24;

    public Vxlan {
        peers = List.copyOf(peers);
        if (vni < 1 || vni >= VNI_LIMIT) {
            throw new IllegalArgumentException("a VNI has 24 bits and is not 0, unlike " + vni);
        }
        if (peers.isEmpty()) {
            throw new IllegalArgumentException("a tunnel needs at least one peer");
        }
    }
}
