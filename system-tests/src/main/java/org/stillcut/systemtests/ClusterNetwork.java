package org.stillcut.systemtests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/** The network namespaces of a cluster on this machine, and what joins them. */
final class ClusterNetwork {
    static final String HUB_ADDRESS = "10.99.0.254";

    private static final String NODE_ADDRESSES = "10.99.0.";
    private static final String DATA_ADDRESSES = "10.98.0.";

    private final String name =
            "st" + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt(), 4);

    /** What the names of everything in this network begin with. */
    String name() {
        return name;
    }

    /** The namespace that all nodes are joined with. */
    String hub() {
        return name + "-hub";
    }

    void layHub() throws IOException, InterruptedException {
        Commands.run("ip", "netns", "add", hub());
        in(hub(), "link", "add", "br0", "type", "bridge", "forward_delay", "0");
        in(hub(), "address", "add", HUB_ADDRESS + "/24", "dev", "br0");
        in(hub(), "link", "set", "br0", "up");
        in(hub(), "link", "set", "lo", "up");
    }

    /** Makes the namespace of a node and joins it with the hub, and with the data network if there is one. */
    SimulatedNode layNode(int number, Path home, Optional<DataNetwork> dataNetwork)
            throws IOException, InterruptedException {
        String node = "n" + number;
        String address = NODE_ADDRESSES + number;
        String dataAddress = dataNetwork.isPresent() ? DATA_ADDRESSES + number : address;
        SimulatedNode made = new SimulatedNode(
                node,
                new SimulatedNode.Addresses(name + "-" + node, address, dataAddress),
                home.resolve(node),
                Path.of("/dev/shm/stillcut-" + name + "-" + node));
        String namespace = made.namespace();
        Commands.run("ip", "netns", "add", namespace);
        in(hub(), "link", "add", made.cable(), "type", "veth", "peer", "name", "eth0", "netns", namespace);
        in(hub(), "link", "set", made.cable(), "master", "br0", "up");
        bringUp(namespace, "eth0", address);
        in(namespace, "link", "set", "lo", "up");
        if (dataNetwork.isPresent()) {
            String port = dataNetwork.get().addPort();
            Commands.run("ip", "link", "set", port, "netns", namespace, "name", "data0");
            bringUp(namespace, "data0", dataAddress);
        }
        return made;
    }

    private static void bringUp(String namespace, String device, String address)
            throws IOException, InterruptedException {
        in(namespace, "address", "add", address + "/24", "dev", device);
        in(namespace, "link", "set", device, "up");
    }

    /** Cuts a node off from the hub. */
    void cut(SimulatedNode node) throws IOException, InterruptedException {
        in(hub(), "link", "set", node.cable(), "down");
    }

    /** Removes all namespaces; those of jobs are gone before. */
    void remove(List<SimulatedNode> nodes) throws IOException, InterruptedException {
        for (SimulatedNode node : nodes) {
            removeNamespace(node.namespace());
        }
        removeNamespace(hub());
    }

    private static void removeNamespace(String namespace) throws IOException, InterruptedException {
        if (Files.exists(Path.of("/run/netns", namespace))) {
            Commands.run("ip", "netns", "delete", namespace);
        }
    }

    private static void in(String namespace, String... words) throws IOException, InterruptedException {
        String[] command = new String[words.length + 3];
        command[0] = "ip";
        command[1] = "-n";
        command[2] = namespace;
        System.arraycopy(words, 0, command, 3, words.length);
        Commands.run(command);
    }
}
