package org.stillcut.agent.network;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import org.stillcut.agent.linux.CommandLine;

/** The {@code ip} and {@code bridge} commands that make and remove a job's network. Pure. */
final class NetworkCommands {

    /** The port that IANA gave to VXLAN. */
    private static final int VXLAN_PORT = 4789;

    private static final String BRIDGE = "br0";
    private static final String TUNNEL = "vx0";

    /** "All other addresses": a frame for an unknown or for every receiver goes to each peer. */
    private static final String ANY_MAC = "00:00:00:00:00:00";

    private NetworkCommands() {}

    /** In this order; each is one process, and the batches save the start of some twenty others. */
    static List<CommandLine> create(NetworkPlan plan) {
        String namespace = plan.namespace();
        List<CommandLine> commands = new ArrayList<>();
        commands.add(CommandLine.of("ip", "netns", "add", namespace));
        // Otherwise the node itself would appear in the job's network with a link-local address on each device.
        commands.add(CommandLine.of(
                "nsenter",
                "--net=/run/netns/" + namespace,
                "--",
                "sysctl",
                "-q",
                "-e",
                "-w",
                "net.ipv6.conf.all.disable_ipv6=1",
                "net.ipv6.conf.default.disable_ipv6=1"));
        plan.vxlan().ifPresent(vxlan -> commands.add(addTunnel(namespace, vxlan)));
        commands.add(CommandLine.of("ip", "-n", namespace, "-batch", "-").withInput(devices(plan)));
        plan.vxlan()
                .ifPresent(vxlan -> commands.add(
                        CommandLine.of("bridge", "-n", namespace, "-batch", "-").withInput(peers(vxlan))));
        return commands;
    }

    /**
     * Removing the namespace alone would not do: it lives on while a process is left in it, and the kernel takes its
     * devices away some time later, until when the tunnel's VNI is taken. These removals are done when they return.
     */
    static CommandLine disconnect(String namespace, List<String> devices) {
        StringBuilder batch = new StringBuilder();
        devices.forEach(device -> line(batch, "link del", device));
        return CommandLine.of("ip", "-n", namespace, "-force", "-batch", "-").withInput(batch.toString());
    }

    static CommandLine remove(String namespace) {
        return CommandLine.of("ip", "netns", "del", namespace);
    }

    static CommandLine processes(String namespace) {
        return CommandLine.of("ip", "netns", "pids", namespace);
    }

    /** The devices that connect VMs with each other or with other nodes. */
    static List<String> connections(NetworkPlan plan) {
        return plan.vxlan().isPresent() ? List.of(TUNNEL, BRIDGE) : List.of(BRIDGE);
    }

    /** For a namespace of which no plan is known. */
    static List<String> allConnections() {
        return List.of(TUNNEL, BRIDGE);
    }

    /**
     * Run in the agent's own namespace: the device appears in the job's, but its encapsulated packets use the network of
     * the namespace in which it was made.
     */
    private static CommandLine addTunnel(String namespace, Vxlan vxlan) {
        return CommandLine.of(
                "ip",
                "link",
                "add",
                TUNNEL,
                "netns",
                namespace,
                "type",
                "vxlan",
                "id",
                Integer.toString(vxlan.vni()),
                "dstport",
                Integer.toString(VXLAN_PORT),
                "local",
                vxlan.local().getHostAddress());
    }

    private static String devices(NetworkPlan plan) {
        StringBuilder batch = new StringBuilder();
        line(batch, "link set lo up");
        line(batch, "link add", BRIDGE, "type bridge forward_delay 0 mcast_snooping 0");
        String attach = "mtu " + plan.mtuBytes() + " master " + BRIDGE + " up";
        for (String tap : plan.taps()) {
            line(batch, "tuntap add dev", tap, "mode tap");
            line(batch, "link set dev", tap, attach);
        }
        if (plan.vxlan().isPresent()) {
            line(batch, "link set dev", TUNNEL, attach);
        }
        line(batch, "link set dev", BRIDGE, "mtu " + plan.mtuBytes() + " up");
        return batch.toString();
    }

    private static String peers(Vxlan vxlan) {
        StringBuilder batch = new StringBuilder();
        for (InetAddress peer : vxlan.peers()) {
            line(batch, "fdb append", ANY_MAC, "dev", TUNNEL, "dst", peer.getHostAddress());
        }
        return batch.toString();
    }

    private static void line(StringBuilder batch, String... words) {
        batch.append(String.join(" ", words)).append('\n');
    }
}
