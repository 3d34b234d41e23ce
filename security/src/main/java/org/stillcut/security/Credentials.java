package org.stillcut.security;

import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Who we are in TLS, and whom we trust: {@code ca.pem}, {@code cert.pem} and {@code key.pem} of one directory. Read once; a new
 * certificate is used by the next process. Immutable, thread-safe.
 *
 * <p>TLS 1.3 alone, by the platform's implementation, whose exceptions say what was wrong.
 */
public final class Credentials {
    public static final String AUTHORITY_FILE = "ca.pem";
    public static final String CERTIFICATE_FILE = "cert.pem";
    public static final String KEY_FILE = "key.pem";

    private static final String PROTOCOL = "TLSv1.3";

    /** Who may call a coordinator. */
    private static final Set<Role> CALLERS = EnumSet.of(Role.USER, Role.OPERATOR, Role.AGENT);

    private final Identity identity;
    private final List<X509Certificate> authorities;
    private final KeyManager keys;
    private final X509ExtendedTrustManager platformTrust;

    private Credentials(
            Identity identity,
            List<X509Certificate> authorities,
            KeyManager keys,
            X509ExtendedTrustManager platformTrust) {
        this.identity = identity;
        this.authorities = authorities;
        this.keys = keys;
        this.platformTrust = platformTrust;
    }

    /**
     * Reads the three files, and makes sure that they belong together and are valid now, so that whoever starts with them is
     * told at once and not by its peers.
     */
    public static Credentials load(Path directory, Instant now) throws TlsException {
        Path certificateFile = directory.resolve(CERTIFICATE_FILE);
        Path keyFile = directory.resolve(KEY_FILE);
        Path authorityFile = directory.resolve(AUTHORITY_FILE);
        List<X509Certificate> authorities = PemFiles.certificates(authorityFile);
        List<X509Certificate> chain = PemFiles.certificates(certificateFile);
        X509Certificate own = chain.getFirst();
        PrivateKey key = PemFiles.privateKey(keyFile, own.getPublicKey());
        requireSameKey(keyFile, key, own);
        for (X509Certificate authority : authorities) {
            requireValid(authorityFile, authority, now);
        }
        requireValid(certificateFile, own, now);
        Identity identity = Identity.of(own)
                .orElseThrow(() -> new TlsException(
                        TlsProblem.WRONG_ROLE, certificateFile + ": does not say stillcut://ROLE/NAME"));
        try {
            X509ExtendedTrustManager platformTrust = platformTrust(authorities);
            requireSigned(certificateFile, chain, platformTrust, identity.role());
            return new Credentials(identity, authorities, keys(chain, key), platformTrust);
        } catch (GeneralSecurityException | IOException e) {
            throw new TlsException(TlsProblem.UNREADABLE, directory + ": cannot be used: " + e.getMessage(), e);
        }
    }

    public Identity identity() {
        return identity;
    }

    /** Makes sure that these are credentials of a role. */
    public Credentials require(Set<Role> roles) throws TlsException {
        if (!roles.contains(identity.role())) {
            throw new TlsException(
                    TlsProblem.WRONG_ROLE, "the certificate is that of " + identity + ", which may not do this");
        }
        return this;
    }

    /** Makes sure that these are the credentials of the agent of a node. */
    public Credentials requireAgent(String node) throws TlsException {
        require(EnumSet.of(Role.AGENT));
        if (!identity.name().equals(node)) {
            throw new TlsException(
                    TlsProblem.WRONG_NAME, "the certificate is that of " + identity + ", and this is node " + node);
        }
        return this;
    }

    /**
     * For a coordinator's gRPC port: callers must have a certificate too.
     *
     * @param refusals is told of callers that are refused, in the connection's thread
     */
    public SslContext server(Consumer<PeerRefusedException> refusals) {
        try {
            return GrpcSslContexts.configure(SslContextBuilder.forServer(keys), SslProvider.JDK)
                    .trustManager(new PeerTrust(platformTrust, authorities, CALLERS, refusals))
                    .clientAuth(ClientAuth.REQUIRE)
                    .protocols(PROTOCOL)
                    .build();
        } catch (SSLException e) {
            throw new IllegalStateException("this Java has no " + PROTOCOL, e);
        }
    }

    /** For who calls a coordinator. */
    public SslContext client() {
        try {
            return GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.JDK)
                    .keyManager(keys)
                    .trustManager(new PeerTrust(platformTrust, authorities, EnumSet.of(Role.COORDINATOR), _ -> {}))
                    .protocols(PROTOCOL)
                    .build();
        } catch (SSLException e) {
            throw new IllegalStateException("this Java has no " + PROTOCOL, e);
        }
    }

    private static void requireSameKey(Path file, PrivateKey key, X509Certificate certificate) throws TlsException {
        try {
            String algorithm = switch (key.getAlgorithm()) {
                case "EC" -> "SHA256withECDSA";
                case "RSA" -> "SHA256withRSA";
                default -> key.getAlgorithm();
            };
            byte[] sample = certificate.getTBSCertificate();
            Signature signer = Signature.getInstance(algorithm);
            signer.initSign(key);
            signer.update(sample);
            byte[] signature = signer.sign();
            Signature verifier = Signature.getInstance(algorithm);
            verifier.initVerify(certificate.getPublicKey());
            verifier.update(sample);
            if (!verifier.verify(signature)) {
                throw new TlsException(TlsProblem.KEY_MISMATCH, file + ": not the key of " + CERTIFICATE_FILE);
            }
        } catch (GeneralSecurityException e) {
            throw new TlsException(TlsProblem.KEY_MISMATCH, file + ": not the key of " + CERTIFICATE_FILE, e);
        }
    }

    private static void requireValid(Path file, X509Certificate certificate, Instant now) throws TlsException {
        try {
            certificate.checkValidity(Date.from(now));
        } catch (CertificateExpiredException e) {
            throw new TlsException(
                    TlsProblem.EXPIRED,
                    file + ": expired on " + certificate.getNotAfter().toInstant(),
                    e);
        } catch (CertificateNotYetValidException e) {
            throw new TlsException(
                    TlsProblem.NOT_YET_VALID,
                    file + ": not valid before " + certificate.getNotBefore().toInstant(),
                    e);
        }
    }

    private static void requireSigned(Path file, List<X509Certificate> chain, X509ExtendedTrustManager trust, Role role)
            throws TlsException {
        X509Certificate[] array = chain.toArray(X509Certificate[]::new);
        try {
            if (role == Role.COORDINATOR) {
                trust.checkServerTrusted(array, "UNKNOWN");
            } else {
                trust.checkClientTrusted(array, "UNKNOWN");
            }
        } catch (GeneralSecurityException e) {
            throw new TlsException(
                    TlsProblem.OTHER_AUTHORITY,
                    file + ": not signed by " + AUTHORITY_FILE + " for the role " + role.word(),
                    e);
        }
    }

    private static X509ExtendedTrustManager platformTrust(List<X509Certificate> authorities)
            throws GeneralSecurityException, IOException {
        KeyStore store = emptyStore();
        int number = 0;
        for (X509Certificate authority : authorities) {
            store.setCertificateEntry("ca" + number++, authority);
        }
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(store);
        return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
    }

    private static KeyManager keys(List<X509Certificate> chain, PrivateKey key)
            throws GeneralSecurityException, IOException {
        KeyStore store = emptyStore();
        char[] inMemoryOnly = new char[0];
        store.setKeyEntry("own", key, inMemoryOnly, chain.toArray(X509Certificate[]::new));
        KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
        factory.init(store, inMemoryOnly);
        return factory.getKeyManagers()[0];
    }

    private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }
}
