package org.stillcut.agent.network;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What one node holds of a job's network.
 *
 * @param namespace name of the network namespace to make, unique on the host: agents that simulate nodes on one machine
 *     share these names
 * @param mtuBytes largest packet of the job's network; over a tunnel, at most {@link #VXLAN_OVERHEAD_BYTES} less than
 *     the network between the nodes carries
 * @param taps names of the VMs' devices, unique within the namespace
 * @param vxlan empty when all of the job's VMs are on this node
 */
public record NetworkPlan(String namespace, int mtuBytes, List<String> taps, Optional<Vxlan> vxlan) {

    /** Outer Ethernet, IPv4, UDP and VXLAN headers. */
    public static final int VXLAN_OVERHEAD_BYTES = 50;

    /** The smallest MTU that IPv4 hosts must accept. */
    private static final int MTU_MINIMUM_BYTES = 576;

    /** IFNAMSIZ less the terminating zero. */
    private static final Pattern INTERFACE_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,14}");

    private static final Pattern NAMESPACE_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");

    public NetworkPlan {
        taps = List.copyOf(taps);
        if (!NAMESPACE_NAME.matcher(namespace).matches()) {
            throw new IllegalArgumentException("not a name for a network namespace: " + namespace);
        }
        if (mtuBytes < MTU_MINIMUM_BYTES) {
            throw new IllegalArgumentException("an MTU below " + MTU_MINIMUM_BYTES + ": " + mtuBytes);
        }
        for (String tap : taps) {
            if (!INTERFACE_NAME.matcher(tap).matches()) {
                throw new IllegalArgumentException("not a name for a network device: " + tap);
            }
        }
    }
}
