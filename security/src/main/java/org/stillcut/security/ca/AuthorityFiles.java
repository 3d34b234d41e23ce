package org.stillcut.security.ca;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Objects;
import java.util.Set;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.util.io.pem.PemGenerationException;
import org.stillcut.security.Credentials;

/** The files of an authority, and those that it hands out. Private keys are readable by their owner alone from the start. */
final class AuthorityFiles {
    static final String CERTIFICATE = "ca.pem";
    static final String KEY = "ca-key.pem";

    private static final String PRIVATE = "rw-------";
    private static final String PUBLIC = "rw-r--r--";

    private AuthorityFiles() {}

    static void privateDirectory(Path directory) throws IOException {
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    static void writeCertificate(Path file, X509Certificate certificate) throws IOException {
        write(file, pem(certificate), PUBLIC);
    }

    static void writeKey(Path file, PrivateKey key) throws IOException {
        write(file, pem(new JcaPKCS8Generator(key, null)), PRIVATE);
    }

    /** The three files, in a directory that appears with all of them. */
    static void writeCredentials(Path target, X509Certificate authority, X509Certificate issued, PrivateKey key)
            throws IOException {
        Path parent = Objects.requireNonNull(target.toAbsolutePath().getParent(), "a new directory has a parent");
        privateDirectory(parent);
        Path unfinished = Files.createTempDirectory(parent, ".issuing-");
        writeCertificate(unfinished.resolve(Credentials.AUTHORITY_FILE), authority);
        writeCertificate(unfinished.resolve(Credentials.CERTIFICATE_FILE), issued);
        writeKey(unfinished.resolve(Credentials.KEY_FILE), key);
        Files.move(unfinished, target, StandardCopyOption.ATOMIC_MOVE);
    }

    static X509Certificate readCertificate(Path file) throws IOException, AuthorityException {
        try (PEMParser parser = new PEMParser(Files.newBufferedReader(present(file)))) {
            if (parser.readObject() instanceof X509CertificateHolder holder) {
                return new JcaX509CertificateConverter().getCertificate(holder);
            }
        } catch (java.security.cert.CertificateException e) {
            throw new IOException(file + ": not a certificate", e);
        }
        throw new AuthorityException(file + ": not a certificate in PEM");
    }

    static PrivateKey readKey(Path file) throws IOException, AuthorityException {
        try (PEMParser parser = new PEMParser(Files.newBufferedReader(present(file)))) {
            if (parser.readObject() instanceof PrivateKeyInfo info) {
                return new JcaPEMKeyConverter().getPrivateKey(info);
            }
        }
        throw new AuthorityException(file + ": not a private key in PEM");
    }

    private static Path present(Path file) throws AuthorityException {
        if (!Files.exists(file)) {
            throw new AuthorityException(file + ": there is none; stillcut ca init makes an authority");
        }
        return file;
    }

    private static String pem(Object object) throws PemGenerationException, IOException {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            writer.writeObject(object);
        }
        return text.toString();
    }

    private static void write(Path file, String text, String mode) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode)))) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
    }
}
