package org.stillcut.systemtests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.stillcut.security.Identity;
import org.stillcut.security.Role;
import org.stillcut.security.ca.AuthorityException;
import org.stillcut.security.ca.CertificateAuthority;

/** The certificates of a cluster, whose nodes are not on loopback to each other: as an operator would issue them. */
final class ClusterCertificates {
    /** No test lasts longer. */
    private static final Duration LIFE = Duration.ofDays(2);

    private final CertificateAuthority authority;

    /** Makes an authority for one cluster. */
    ClusterCertificates(Path directory) throws IOException, AuthorityException {
        authority = CertificateAuthority.create(directory, InstantSource.system(), new SecureRandom());
    }

    /** What a coordinator at an address is started with. */
    Path coordinator(String address) throws IOException, AuthorityException {
        return issued(new Identity(Role.COORDINATOR, "coordinator"), List.of(address));
    }

    /** What the agent of a node is started with; the same each time. */
    Path agent(String node) throws IOException, AuthorityException {
        return issued(new Identity(Role.AGENT, node), List.of());
    }

    private Path issued(Identity identity, List<String> hosts) throws IOException, AuthorityException {
        Path place = authority.placeOf(identity);
        if (!Files.exists(place)) {
            authority.issue(new CertificateAuthority.Request(identity, hosts, LIFE), place);
        }
        return place;
    }
}
