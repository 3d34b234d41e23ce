package org.stillcut.protocol.traffic;

/** One end of a TCP connection: a numeric address and a port. */
public record Endpoint(String address, int port) {
    @Override
    public String toString() {
        return (address.contains(":") ? "[" + address + "]" : address) + ":" + port;
    }
}
