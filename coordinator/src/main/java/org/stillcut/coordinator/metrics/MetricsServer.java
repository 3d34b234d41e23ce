package org.stillcut.coordinator.metrics;

import io.prometheus.metrics.exporter.httpserver.HTTPServer;
import java.io.IOException;
import org.stillcut.address.HostPort;
import org.stillcut.security.PlainConnections;

/** The HTTP port where Prometheus reads the metrics: {@code /metrics}. On loopback only, as it asks nobody for a certificate. */
public final class MetricsServer implements AutoCloseable {
    private final HTTPServer server;

    /** Begins to answer. */
    public MetricsServer(HostPort address, CoordinatorMetrics metrics) throws IOException {
        requireLoopback(address);
        this.server = HTTPServer.builder()
                .hostname(address.host())
                .port(address.port())
                .registry(metrics.registry())
                .buildAndStart();
    }

    /** Refuses addresses that others could reach. */
    public static void requireLoopback(HostPort address) {
        if (!PlainConnections.isAllowed(address)) {
            throw new IllegalArgumentException("--metrics " + address + ": on loopback only");
        }
    }

    public int port() {
        return server.getPort();
    }

    @Override
    public void close() {
        server.close();
    }
}
