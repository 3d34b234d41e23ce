package org.stillcut.security;

import java.net.InetAddress;
import org.stillcut.address.HostPort;

/**
 * Where connections without TLS are allowed: on loopback, whose peers are on this machine. Names are not looked up, since what
 * they mean may change between the look and the connection; of all names, only {@code localhost} is known to stay here (RFC
 * 6761, section 6.3).
 */
public final class PlainConnections {
    private PlainConnections() {}

    /** Whether such an address can only be reached from this machine. */
    public static boolean isAllowed(HostPort address) {
        String host = address.host();
        if (host.equals("localhost")) {
            return true;
        }
        try {
            return InetAddress.ofLiteral(host).isLoopbackAddress();
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
