package org.stillcut.address;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A host and a port, as people write them: {@code HOST:PORT}, where an IPv6 address stands in brackets. Immutable.
 *
 * @param host a name or an address, without brackets
 * @param port 0 to 65535; 0 lets a listener choose
 */
public record HostPort(String host, int port) {
    private static final int LARGEST_PORT = 65_535;
    private static final Pattern WRITTEN = Pattern.compile("(\\[([0-9A-Za-z:.%]+)\\]|([^\\[\\]:\\s]+)):([0-9]{1,5})");

    public HostPort {
        if (host.isEmpty() || port < 0 || port > LARGEST_PORT) {
            throw new IllegalArgumentException("not a host and a port: " + host + ", " + port);
        }
    }

    /** Reads {@code HOST:PORT}; empty if the text is nothing like it. Looks nothing up. */
    public static Optional<HostPort> parse(String text) {
        Matcher matcher = WRITTEN.matcher(text);
        if (!matcher.matches() || Integer.parseInt(matcher.group(4)) > LARGEST_PORT) {
            return Optional.empty();
        }
        String host = matcher.group(2) == null ? matcher.group(3) : matcher.group(2);
        return Optional.of(new HostPort(host, Integer.parseInt(matcher.group(4))));
    }

    @Override
    public String toString() {
        return host.contains(":") ? "[" + host + "]:" + port : host + ":" + port;
    }
}
