package org.stillcut.protocol;

/** One end of a TCP connection: a numeric address and a port. */
public record Endpoint(String address, int port) {
    /** Whether the address means the machine itself, in every machine. */
    public boolean isLoopback() {
        return address.startsWith("127.") || address.equals("0:0:0:0:0:0:0:1") || address.equals("::1");
    }

    @Override
    public String toString() {
        return (address.contains(":") ? "[" + address + "]" : address) + ":" + port;
    }
}
