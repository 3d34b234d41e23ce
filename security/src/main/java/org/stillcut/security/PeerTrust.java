package org.stillcut.security;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Decides whom to talk to: the platform's validation (chain, validity, purpose, the host's name), then the role. The platform
 * decides; what is said about its refusals is found out afterwards, as its own words are for programmers. Thread-safe.
 */
final class PeerTrust extends X509ExtendedTrustManager {
    private final X509ExtendedTrustManager platform;
    private final List<X509Certificate> authorities;
    private final Set<Role> roles;
    private final Consumer<PeerRefusedException> refusals;

    /**
     * Trusts peers of some roles.
     *
     * @param refusals is told of each peer that is refused, in the connection's thread
     */
    PeerTrust(
            X509ExtendedTrustManager platform,
            List<X509Certificate> authorities,
            Set<Role> roles,
            Consumer<PeerRefusedException> refusals) {
        this.platform = platform;
        this.authorities = authorities;
        this.roles = EnumSet.copyOf(roles);
        this.refusals = refusals;
    }

    /** The platform's validation of a chain. */
    @FunctionalInterface
    private interface Validation {
        void run() throws CertificateException;
    }

    private void check(X509Certificate[] chain, Validation validation) throws CertificateException {
        try {
            validation.run();
            requireRole(chain[0]);
        } catch (CertificateException e) {
            PeerRefusedException refusal = e instanceof PeerRefusedException typed
                    ? typed
                    : new PeerRefusedException(problem(chain), line(chain), e);
            refusals.accept(refusal);
            throw refusal;
        }
    }

    private void requireRole(X509Certificate certificate) throws PeerRefusedException {
        if (!hasRole(certificate)) {
            throw new PeerRefusedException(
                    TlsProblem.WRONG_ROLE, line(new X509Certificate[] {certificate}), new CertificateException("role"));
        }
    }

    private boolean hasRole(X509Certificate certificate) {
        return Identity.of(certificate)
                .map(Identity::role)
                .filter(roles::contains)
                .isPresent();
    }

    private TlsProblem problem(X509Certificate[] chain) {
        try {
            chain[0].checkValidity();
        } catch (CertificateExpiredException e) {
            return TlsProblem.EXPIRED;
        } catch (CertificateNotYetValidException e) {
            return TlsProblem.NOT_YET_VALID;
        }
        if (List.of(chain).stream().noneMatch(this::isSignedByAuthority)) {
            return TlsProblem.OTHER_AUTHORITY;
        }
        // A certificate of the right role has the right purposes too; what is left is the host's name.
        return hasRole(chain[0]) ? TlsProblem.WRONG_NAME : TlsProblem.WRONG_ROLE;
    }

    private boolean isSignedByAuthority(X509Certificate certificate) {
        for (X509Certificate authority : authorities) {
            try {
                certificate.verify(authority.getPublicKey());
                return true;
            } catch (GeneralSecurityException e) {
                // Not by this one.
            }
        }
        return false;
    }

    private String line(X509Certificate[] chain) {
        X509Certificate certificate = chain[0];
        String who = "the peer's certificate ("
                + Identity.of(certificate)
                        .map(Identity::toString)
                        .orElse(certificate.getSubjectX500Principal().getName())
                + ") ";
        return switch (problem(chain)) {
            case EXPIRED -> who + "expired on " + certificate.getNotAfter().toInstant();
            case NOT_YET_VALID ->
                who + "is not valid before " + certificate.getNotBefore().toInstant();
            case OTHER_AUTHORITY -> who + "is not signed by our authority";
            case WRONG_ROLE ->
                who + "is not one of role " + roles.stream().map(Role::word).collect(Collectors.joining(" or "));
            default -> who + "is not that of the host we meant";
        };
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
        check(chain, () -> platform.checkClientTrusted(chain, type, engine));
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
        check(chain, () -> platform.checkClientTrusted(chain, type, socket));
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
        check(chain, () -> platform.checkClientTrusted(chain, type));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
        check(chain, () -> platform.checkServerTrusted(chain, type, engine));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
        check(chain, () -> platform.checkServerTrusted(chain, type, socket));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
        check(chain, () -> platform.checkServerTrusted(chain, type));
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return platform.getAcceptedIssuers();
    }
}
