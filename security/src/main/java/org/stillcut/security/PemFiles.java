package org.stillcut.security;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads keys and certificates in PEM, of any size that such a file reasonably has. */
final class PemFiles {
    /** A chain of a few certificates is some KiB. */
    private static final int MOST_BYTES = 1 << 20;

    /** RFC 7468, section 10: PKCS #8. */
    private static final Pattern PRIVATE_KEY =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");

    private static final Set<PosixFilePermission> OTHERS = Set.of(
            PosixFilePermission.GROUP_READ,
            PosixFilePermission.GROUP_WRITE,
            PosixFilePermission.OTHERS_READ,
            PosixFilePermission.OTHERS_WRITE);

    private PemFiles() {}

    /** The certificates in a file, at least one. */
    static List<X509Certificate> certificates(Path file) throws TlsException {
        try (InputStream bytes = Files.newInputStream(file)) {
            List<X509Certificate> certificates =
                    CertificateFactory.getInstance("X.509").generateCertificates(bytes).stream()
                            .map(X509Certificate.class::cast)
                            .toList();
            if (certificates.isEmpty()) {
                throw new TlsException(TlsProblem.UNREADABLE, file + ": no certificate in it");
            }
            return certificates;
        } catch (CertificateException e) {
            throw new TlsException(TlsProblem.UNREADABLE, file + ": not certificates in PEM", e);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /** The private key in a file that nobody else may read. */
    static PrivateKey privateKey(Path file, PublicKey belongsTo) throws TlsException {
        try {
            if (Files.getPosixFilePermissions(file).stream().anyMatch(OTHERS::contains)) {
                throw new TlsException(
                        TlsProblem.KEY_EXPOSED, file + ": others may read or write this key: chmod 600 " + file);
            }
            if (Files.size(file) > MOST_BYTES) {
                throw new TlsException(TlsProblem.UNREADABLE, file + ": too large for a key");
            }
            Matcher matcher = PRIVATE_KEY.matcher(Files.readString(file, StandardCharsets.US_ASCII));
            if (!matcher.find()) {
                throw new TlsException(TlsProblem.UNREADABLE, file + ": not a private key in PEM (PKCS #8)");
            }
            byte[] encoded = Base64.getMimeDecoder().decode(matcher.group(1));
            return KeyFactory.getInstance(belongsTo.getAlgorithm()).generatePrivate(new PKCS8EncodedKeySpec(encoded));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new TlsException(TlsProblem.KEY_MISMATCH, file + ": not a key of the certificate's kind", e);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static TlsException unreadable(Path file, IOException failure) {
        String why = failure instanceof NoSuchFileException ? "there is none" : failure.toString();
        return new TlsException(TlsProblem.UNREADABLE, file + ": " + why, failure);
    }
}
