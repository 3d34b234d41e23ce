package org.stillcut.address;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostPortTest {
    @Test
    void namesAndAddressesAreRead() {
        assertThat(HostPort.parse("node-1.cluster:7070")).contains(new HostPort("node-1.cluster", 7070));
        assertThat(HostPort.parse("10.0.0.1:0")).contains(new HostPort("10.0.0.1", 0));
        assertThat(HostPort.parse("[fe80::1%eth0]:65535")).contains(new HostPort("fe80::1%eth0", 65_535));
    }

    @ParameterizedTest
    @ValueSource(strings = {"node:7070", "[::1]:7070"})
    void whatIsReadIsWrittenTheSame(String text) {
        assertThat(HostPort.parse(text).map(HostPort::toString)).contains(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "node",
                "node:",
                ":7070",
                "node:port",
                "node:65536",
                "node:123456",
                "node:-1",
                "::1:7070",
                "[]:7070",
                "[::1]",
                "a b:1",
                "unix:/run/x",
                "node:7070 "
            })
    void anythingElseIsNone(String text) {
        assertThat(HostPort.parse(text)).isEmpty();
    }
}
