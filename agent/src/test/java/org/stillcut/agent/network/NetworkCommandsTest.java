package org.stillcut.agent.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.stillcut.agent.linux.CommandLine;

class NetworkCommandsTest {

    @Test
    void networkOnOneNode() {
        NetworkPlan plan = new NetworkPlan("sc-7-1", 1500, List.of("tap0", "tap1"), Optional.empty());
        assertThat(NetworkCommands.create(plan))
                .containsExactly(
                        CommandLine.of("ip", "netns", "add", "sc-7-1"),
                        withoutIpv6("sc-7-1"),
                        CommandLine.of("ip", "-n", "sc-7-1", "-batch", "-").withInput("""
                                        link set lo up
                                        link add br0 type bridge forward_delay 0 mcast_snooping 0
                                        tuntap add dev tap0 mode tap
                                        link set dev tap0 mtu 1500 master br0 up
                                        tuntap add dev tap1 mode tap
                                        link set dev tap1 mtu 1500 master br0 up
                                        link set dev br0 mtu 1500 up
                                        """));
        assertThat(NetworkCommands.connections(plan)).containsExactly("br0");
    }

    @Test
    void networkOverThreeNodes() throws Exception {
        Vxlan vxlan = new Vxlan(
                77,
                InetAddress.getByName("10.0.0.1"),
                List.of(InetAddress.getByName("10.0.0.2"), InetAddress.getByName("10.0.0.3")));
        NetworkPlan plan = new NetworkPlan("sc-7-1", 1450, List.of("tap0"), Optional.of(vxlan));
        assertThat(NetworkCommands.create(plan))
                .containsExactly(
                        CommandLine.of("ip", "netns", "add", "sc-7-1"),
                        withoutIpv6("sc-7-1"),
                        CommandLine.of(
                                "ip",
                                "link",
                                "add",
                                "vx0",
                                "netns",
                                "sc-7-1",
                                "type",
                                "vxlan",
                                "id",
                                "77",
                                "dstport",
                                "4789",
                                "local",
                                "10.0.0.1"),
                        CommandLine.of("ip", "-n", "sc-7-1", "-batch", "-").withInput("""
                                        link set lo up
                                        link add br0 type bridge forward_delay 0 mcast_snooping 0
                                        tuntap add dev tap0 mode tap
                                        link set dev tap0 mtu 1450 master br0 up
                                        link set dev vx0 mtu 1450 master br0 up
                                        link set dev br0 mtu 1450 up
                                        """),
                        CommandLine.of("bridge", "-n", "sc-7-1", "-batch", "-").withInput("""
                                        fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.2
                                        fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.3
                                        """));
        assertThat(NetworkCommands.connections(plan)).containsExactly("vx0", "br0");
    }

    @Test
    void namesThatCouldBecomeOptionsOrLinesAreRefused() {
        for (String tap : List.of("", "-x", "a b", "tap0\nlink del br0", "sixteencharacters")) {
            assertThatThrownBy(() -> new NetworkPlan("ns", 1500, List.of(tap), Optional.empty()))
                    .as(tap)
                    .isInstanceOf(IllegalArgumentException.class);
        }
        for (String namespace : List.of("", "-n", "../x", "a/b", "..")) {
            assertThatThrownBy(() -> new NetworkPlan(namespace, 1500, List.of(), Optional.empty()))
                    .as(namespace)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void tunnelsThatCannotWorkAreRefused() {
        InetAddress address = InetAddress.getLoopbackAddress();
        assertThatThrownBy(() -> new Vxlan(0, address, List.of(address))).hasMessageContaining("24 bits");
        assertThatThrownBy(() -> new Vxlan(1 << 24, address, List.of(address))).hasMessageContaining("24 bits");
        assertThatThrownBy(() -> new Vxlan(1, address, List.of())).hasMessageContaining("peer");
    }

    private static CommandLine withoutIpv6(String namespace) {
        return CommandLine.of(
                "nsenter",
                "--net=/run/netns/" + namespace,
                "--",
                "sysctl",
                "-q",
                "-e",
                "-w",
                "net.ipv6.conf.all.disable_ipv6=1",
                "net.ipv6.conf.default.disable_ipv6=1");
    }
}
