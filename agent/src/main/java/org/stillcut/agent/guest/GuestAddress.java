package org.stillcut.agent.guest;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import org.stillcut.protocol.Endpoint;

/** Addresses as guests write them: 16 bytes and a port, IPv4 as ::ffff:a.b.c.d. */
final class GuestAddress {
    private static final int BYTES = 16;

    private GuestAddress() {}

    static Endpoint read(ByteBuffer payload) {
        byte[] address = new byte[BYTES];
        payload.get(address);
        int port = Short.toUnsignedInt(payload.getShort());
        try {
            // Makes an IPv4 address of a mapped one, and asks nobody.
            return new Endpoint(InetAddress.getByAddress(address).getHostAddress(), port);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("not an address of " + BYTES + " bytes", e);
        }
    }
}
