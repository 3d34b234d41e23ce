package org.stillcut.coordinator;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.stillcut.address.HostPort;
import org.stillcut.security.Credentials;
import org.stillcut.security.Identity;
import org.stillcut.security.Role;
import org.stillcut.security.ca.CertificateAuthority;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobServiceGrpc;
import org.stillcut.v1.ListJobsRequest;

/** A whole coordinator that asks for certificates, on a port of loopback, and an authority that issues them. */
abstract class AccessFixture extends CoordinatorFixture {
    static final Duration DAY = Duration.ofDays(1);

    final List<ManagedChannel> channels = new ArrayList<>();

    @AfterEach
    void closeChannels() {
        channels.forEach(ManagedChannel::shutdownNow);
    }

    @Override
    CoordinatorConfig config(Path state, Optional<InetSocketAddress> listen) {
        try {
            Path home = directory.resolve("ca");
            CertificateAuthority authority = Files.exists(home) ? authority("ca") : newAuthority("ca");
            Path own = authority.placeOf(new Identity(Role.COORDINATOR, "c"));
            if (!Files.exists(own)) {
                issue(authority, Role.COORDINATOR, "c", DAY);
            }
            return listening(Credentials.load(own, Instant.now()));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    CoordinatorConfig listening(Credentials credentials) {
        return new CoordinatorConfig(
                directory.resolve("state"),
                directory.resolve("repository"),
                directory.resolve("c.sock"),
                Optional.of(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0)),
                Optional.of(credentials),
                Optional.of(new HostPort("127.0.0.1", 0)),
                Duration.ofSeconds(20));
    }

    CertificateAuthority newAuthority(String name) throws Exception {
        return CertificateAuthority.create(directory.resolve(name), InstantSource.system(), new SecureRandom());
    }

    CertificateAuthority authority(String name) throws Exception {
        return CertificateAuthority.open(directory.resolve(name), InstantSource.system(), new SecureRandom());
    }

    static Path issue(CertificateAuthority from, Role role, String name, Duration life) throws Exception {
        List<String> hosts = role == Role.COORDINATOR ? List.of("127.0.0.1") : List.of();
        Identity identity = new Identity(role, name);
        from.issue(new CertificateAuthority.Request(identity, hosts, life), from.placeOf(identity));
        return from.placeOf(identity);
    }

    Credentials credentials(Role role, String name) throws Exception {
        return Credentials.load(issue(authority("ca"), role, name, DAY), Instant.now());
    }

    /** A connection of somebody with a new certificate. */
    ManagedChannel as(Role role, String name) throws Exception {
        return to("127.0.0.1", credentials(role, name));
    }

    ManagedChannel to(String host, Credentials credentials) {
        ManagedChannel made = NettyChannelBuilder.forAddress(host, coordinator.port())
                .sslContext(credentials.client())
                .build();
        channels.add(made);
        return made;
    }

    static List<String> jobsSeenBy(ManagedChannel caller) {
        return JobServiceGrpc.newBlockingStub(caller)
                .listJobs(ListJobsRequest.getDefaultInstance())
                .getJobsList()
                .stream()
                .map(Job::getJobId)
                .toList();
    }
}
