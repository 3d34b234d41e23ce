package org.stillcut.agent.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.agent.linux.CommandException;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.linux.HostCommandRunner;

@Timeout(20)
class JobNetworkIT {

    private static final Duration DEADLINE = Duration.ofSeconds(10);
    private static final int MTU_BYTES = 1450;

    private final CommandRunner commands = new HostCommandRunner();

    /** Unique for this process, so that builds on one machine do not meet. */
    private final String prefix = "scit" + ProcessHandle.current().pid() + "-";

    @AfterEach
    void removeNamespaces() throws Exception {
        for (String name : new NetworkLeftovers(commands).find(prefix)) {
            run("ip", "netns", "del", name);
        }
    }

    @Test
    void localNetworkHasBridgeAndTapsAndNoIpv6() throws Exception {
        String namespace = prefix + "job";
        NetworkPlan plan = new NetworkPlan(namespace, 1500, List.of("tap0", "tap1"), Optional.empty());
        try (JobNetwork network = JobNetwork.create(plan, commands)) {
            assertThat(network.plan()).isEqualTo(plan);
            assertThat(inside(namespace, "ip", "-o", "link", "show", "master", "br0"))
                    .contains("tap0", "tap1", "mtu 1500");
            assertThat(inside(namespace, "ip", "-o", "address", "show", "dev", "br0"))
                    .doesNotContain("inet");
            assertThat(inside(namespace, "ip", "link")).doesNotContain("vx0");
        }
        assertThat(Path.of("/run/netns", namespace)).doesNotExist();
    }

    @Test
    void closingMayBeRepeated() throws Exception {
        NetworkPlan plan = new NetworkPlan(prefix + "job", 1500, List.of("tap0"), Optional.empty());
        JobNetwork network = JobNetwork.create(plan, commands);
        network.close();
        network.close();
        JobNetwork.create(plan, commands).close();
    }

    @Test
    void existingNamespaceIsRefusedAndLeftAlone() throws Exception {
        NetworkPlan plan = new NetworkPlan(prefix + "job", 1500, List.of("tap0"), Optional.empty());
        try (JobNetwork network = JobNetwork.create(plan, commands)) {
            assertThatThrownBy(() -> JobNetwork.create(plan, commands))
                    .isInstanceOf(NetworkException.class)
                    .hasMessageContaining("File exists");
            assertThat(inside(network.plan().namespace(), "ip", "link")).contains("tap0");
        }
    }

    @Test
    void failedCreationLeavesNothing() throws Exception {
        NetworkPlan plan = new NetworkPlan(prefix + "job", 1500, List.of("tap0", "tap0"), Optional.empty());
        assertThatThrownBy(() -> JobNetwork.create(plan, commands)).isInstanceOf(NetworkException.class);
        assertThat(new NetworkLeftovers(commands).find(prefix)).isEmpty();
    }

    @Test
    void tunnelCarriesPacketsBetweenNodesUntilItIsClosed() throws Exception {
        makeTwoNodes();
        JobNetwork first = JobNetwork.create(overTunnel("job1", "10.89.0.1", "10.89.0.2"), onNode("node1"));
        try (JobNetwork second = JobNetwork.create(overTunnel("job2", "10.89.0.2", "10.89.0.1"), onNode("node2"))) {
            addAddress(first, "10.90.0.1/24");
            addAddress(second, "10.90.0.2/24");
            assertThat(inside(second.plan().namespace(), "ip", "-o", "link", "show", "vx0"))
                    .contains("mtu " + MTU_BYTES);

            // One full-sized packet in each direction: head and payload make up the MTU.
            ping(first, "10.90.0.2", MTU_BYTES - 28);
            ping(second, "10.90.0.1", MTU_BYTES - 28);

            first.close();
            assertThatThrownBy(() -> ping(second, "10.90.0.1", 56)).isInstanceOf(CommandException.class);

            // The identifier is free again at once.
            JobNetwork again = JobNetwork.create(overTunnel("job1", "10.89.0.1", "10.89.0.2"), onNode("node1"));
            addAddress(again, "10.90.0.1/24");
            ping(again, "10.90.0.2", 56);
            again.close();
        } finally {
            first.close();
        }
    }

    @Test
    void leftoversAreFoundAndRemovedWithTheirProcesses() throws Exception {
        NetworkPlan plan = new NetworkPlan(prefix + "job", 1500, List.of("tap0"), Optional.empty());
        JobNetwork forgotten = JobNetwork.create(plan, commands);
        Process survivor = new ProcessBuilder(
                        "nsenter", "--net=/run/netns/" + forgotten.plan().namespace(), "--", "sleep", "60")
                .start();
        try {
            awaitInNamespace(survivor, plan.namespace());
            NetworkLeftovers leftovers = new NetworkLeftovers(commands);
            assertThat(leftovers.find(prefix)).containsExactly(plan.namespace());
            leftovers.remove(plan.namespace());
            assertThat(leftovers.find(prefix)).isEmpty();
            assertThat(survivor.waitFor(DEADLINE)).isTrue();
        } finally {
            survivor.destroyForcibly();
        }
    }

    private void makeTwoNodes() throws Exception {
        run("ip", "netns", "add", prefix + "node1");
        run("ip", "netns", "add", prefix + "node2");
        run("ip", "-n", prefix + "node1", "link", "add", "x0", "type", "veth", "peer", "x0", "netns", prefix + "node2");
        for (int node = 1; node <= 2; node++) {
            String namespace = prefix + "node" + node;
            run("ip", "-n", namespace, "address", "add", "10.89.0." + node + "/24", "dev", "x0");
            run("ip", "-n", namespace, "link", "set", "x0", "up");
        }
    }

    private NetworkPlan overTunnel(String name, String local, String peer) throws Exception {
        Vxlan vxlan = new Vxlan(4711, InetAddress.getByName(local), List.of(InetAddress.getByName(peer)));
        return new NetworkPlan(prefix + name, MTU_BYTES, List.of("tap0"), Optional.of(vxlan));
    }

    /** Runs commands as an agent does that lives in a node's namespace. */
    private CommandRunner onNode(String node) {
        return (command, deadline) -> {
            List<String> arguments = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + prefix + node, "--"));
            arguments.addAll(command.arguments());
            return commands.run(new CommandLine(arguments, command.input()), deadline);
        };
    }

    private void addAddress(JobNetwork network, String address) throws Exception {
        run("ip", "-n", network.plan().namespace(), "address", "add", address, "dev", "br0");
    }

    private void ping(JobNetwork from, String address, int payloadBytes) throws CommandException, InterruptedException {
        commands.run(
                CommandLine.of(
                        "nsenter",
                        "--net=/run/netns/" + from.plan().namespace(),
                        "--",
                        "busybox",
                        "ping",
                        "-c",
                        "1",
                        "-W",
                        "1",
                        "-s",
                        Integer.toString(payloadBytes),
                        address),
                DEADLINE);
    }

    private static void awaitInNamespace(Process process, String namespace) throws Exception {
        Object wanted = Files.getAttribute(Path.of("/run/netns", namespace), "unix:ino");
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (!Files.getAttribute(Path.of("/proc/" + process.pid() + "/ns/net"), "unix:ino")
                .equals(wanted)) {
            assertThat(System.nanoTime())
                    .as("sleep is in the namespace in time")
                    .isLessThan(end);
            Thread.sleep(Duration.ofMillis(5));
        }
    }

    private String inside(String namespace, String... arguments) throws Exception {
        List<String> words = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + namespace, "--"));
        words.addAll(List.of(arguments));
        return commands.run(new CommandLine(words, ""), DEADLINE);
    }

    private void run(String... arguments) throws Exception {
        commands.run(CommandLine.of(arguments), DEADLINE);
    }
}
