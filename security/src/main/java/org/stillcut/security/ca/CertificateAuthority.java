package org.stillcut.security.ca;

import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.stillcut.security.Identity;
import org.stillcut.security.Role;

/**
 * A certificate authority in a directory: {@code ca.pem} for everybody, {@code ca-key.pem} for nobody else. It signs
 * certificates of nodes, users and operators that are good for calling, and of coordinators that are good for being called.
 * Keys are EC, P-256. Nothing can be called back: certificates end by themselves.
 */
public final class CertificateAuthority {
    private static final Duration OWN_LIFE = Duration.ofDays(3650);

    /** Clocks of a cluster differ. */
    private static final Duration EARLIER = Duration.ofMinutes(10);

    /** RFC 5280, 4.1.2.2: positive, at most 20 octets. */
    private static final int SERIAL_BITS = 127;

    private static final String SIGNATURE = "SHA256withECDSA";

    private final Path directory;
    private final X509Certificate certificate;
    private final PrivateKey key;
    private final InstantSource clock;
    private final SecureRandom random;

    /**
     * What a certificate is to say.
     *
     * @param hosts names and addresses that a coordinator is reached by; of nobody else
     */
    public record Request(Identity identity, List<String> hosts, Duration life) {
        public Request {
            hosts = List.copyOf(hosts);
            boolean isCalled = identity.role() == Role.COORDINATOR;
            if (isCalled == hosts.isEmpty()) {
                throw new IllegalArgumentException(
                        isCalled
                                ? "a coordinator's certificate needs --host: the names and addresses it is reached by"
                                : "--host is for coordinators");
            }
            if (!life.isPositive() || life.compareTo(OWN_LIFE) > 0) {
                throw new IllegalArgumentException("--days " + life.toDays() + ": 1 to " + OWN_LIFE.toDays());
            }
        }
    }

    private CertificateAuthority(
            Path directory, X509Certificate certificate, PrivateKey key, InstantSource clock, SecureRandom random) {
        this.directory = directory;
        this.certificate = certificate;
        this.key = key;
        this.clock = clock;
        this.random = random;
    }

    /** Makes an authority in a directory that has none, and that is made if it is not there. */
    public static CertificateAuthority create(Path directory, InstantSource clock, SecureRandom random)
            throws IOException, AuthorityException {
        AuthorityFiles.privateDirectory(directory);
        Path certificateFile = directory.resolve(AuthorityFiles.CERTIFICATE);
        if (Files.exists(certificateFile) || Files.exists(directory.resolve(AuthorityFiles.KEY))) {
            throw new AuthorityException(directory + ": there is an authority already");
        }
        try {
            KeyPair pair = freshKey(random);
            // Two authorities must not have the same name: what they signed could not be told apart.
            String name = "Stillcut CA " + String.format("%08x", random.nextInt());
            X500Name subject = name(name);
            Instant now = clock.instant();
            X509v3CertificateBuilder builder =
                    builder(subject, subject, pair.getPublic(), now, now.plus(OWN_LIFE), random);
            JcaX509ExtensionUtils extensions = new JcaX509ExtensionUtils();
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            builder.addExtension(
                    Extension.subjectKeyIdentifier, false, extensions.createSubjectKeyIdentifier(pair.getPublic()));
            X509Certificate own = sign(builder, pair.getPrivate());
            AuthorityFiles.writeKey(directory.resolve(AuthorityFiles.KEY), pair.getPrivate());
            AuthorityFiles.writeCertificate(certificateFile, own);
            return new CertificateAuthority(directory, own, pair.getPrivate(), clock, random);
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new IllegalStateException("this Java cannot make certificates", e);
        }
    }

    /** The authority that a directory holds. */
    public static CertificateAuthority open(Path directory, InstantSource clock, SecureRandom random)
            throws IOException, AuthorityException {
        X509Certificate certificate = AuthorityFiles.readCertificate(directory.resolve(AuthorityFiles.CERTIFICATE));
        PrivateKey key = AuthorityFiles.readKey(directory.resolve(AuthorityFiles.KEY));
        return new CertificateAuthority(directory, certificate, key, clock, random);
    }

    /** Where the files of an identity are put unless somebody says otherwise. */
    public Path placeOf(Identity identity) {
        return directory.resolve("issued").resolve(identity.role().word() + "-" + identity.name());
    }

    /** Makes a key and its certificate, in a new directory of the three files that {@code --tls} asks for. */
    public void issue(Request request, Path target) throws IOException, AuthorityException {
        if (Files.exists(target)) {
            throw new AuthorityException(target + ": is there already; move it away to issue another certificate");
        }
        try {
            KeyPair pair = freshKey(random);
            Instant now = clock.instant();
            X500Name issuer = new JcaX509CertificateHolder(certificate).getSubject();
            X500Name subject = name(request.identity().toString());
            Instant end =
                    earlier(now.plus(request.life()), certificate.getNotAfter().toInstant());
            X509v3CertificateBuilder builder = builder(issuer, subject, pair.getPublic(), now, end, random);
            addExtensions(builder, request, pair.getPublic());
            X509Certificate issued = sign(builder, key);
            AuthorityFiles.writeCredentials(target, certificate, issued, pair.getPrivate());
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new IllegalStateException("this Java cannot make certificates", e);
        }
    }

    private void addExtensions(X509v3CertificateBuilder builder, Request request, PublicKey publicKey)
            throws CertIOException, GeneralSecurityException {
        boolean isCalled = request.identity().role() == Role.COORDINATOR;
        JcaX509ExtensionUtils extensions = new JcaX509ExtensionUtils();
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
        builder.addExtension(
                Extension.extendedKeyUsage,
                true,
                new ExtendedKeyUsage(isCalled ? KeyPurposeId.id_kp_serverAuth : KeyPurposeId.id_kp_clientAuth));
        builder.addExtension(Extension.subjectKeyIdentifier, false, extensions.createSubjectKeyIdentifier(publicKey));
        builder.addExtension(
                Extension.authorityKeyIdentifier, false, extensions.createAuthorityKeyIdentifier(certificate));
        List<GeneralName> names = new ArrayList<>();
        names.add(new GeneralName(
                GeneralName.uniformResourceIdentifier, request.identity().uri()));
        request.hosts().forEach(host -> names.add(hostName(host)));
        builder.addExtension(
                Extension.subjectAlternativeName, false, new GeneralNames(names.toArray(GeneralName[]::new)));
    }

    private static GeneralName hostName(String host) {
        try {
            return new GeneralName(
                    GeneralName.iPAddress, InetAddress.ofLiteral(host).getHostAddress());
        } catch (IllegalArgumentException e) {
            if (!host.matches("[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")) {
                throw new IllegalArgumentException("--host " + host + ": not a name or an address", e);
            }
            return new GeneralName(GeneralName.dNSName, host);
        }
    }

    private static X509v3CertificateBuilder builder(
            X500Name issuer, X500Name subject, PublicKey key, Instant now, Instant end, SecureRandom random) {
        // Certificates know whole seconds.
        Instant begin = now.minus(EARLIER).truncatedTo(ChronoUnit.SECONDS);
        BigInteger serial = new BigInteger(SERIAL_BITS, random).add(BigInteger.ONE);
        return new JcaX509v3CertificateBuilder(issuer, serial, Date.from(begin), Date.from(end), subject, key);
    }

    private static X509Certificate sign(X509v3CertificateBuilder builder, PrivateKey key)
            throws OperatorCreationException, GeneralSecurityException {
        return new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder(SIGNATURE).build(key)));
    }

    private static KeyPair freshKey(SecureRandom random) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"), random);
        return generator.generateKeyPair();
    }

    private static X500Name name(String commonName) {
        return new X500NameBuilder(BCStyle.INSTANCE)
                .addRDN(BCStyle.O, "Stillcut")
                .addRDN(BCStyle.CN, commonName)
                .build();
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    @Override
    public String toString() {
        return directory.toString();
    }
}
