package org.stillcut.security;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who a certificate says its holder is: {@code stillcut://ROLE/NAME} among its alternative names of the kind URI. The subject
 * is for people only. Immutable.
 *
 * @param name letters, digits, '.', '_' and '-'
 */
public record Identity(Role role, String name) {
    /** RFC 5280, 4.2.1.6: uniformResourceIdentifier. */
    private static final int KIND_URI = 6;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
    private static final Pattern WRITTEN = Pattern.compile("stillcut://([a-z]+)/(" + NAME + ")");

    public Identity {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "'" + name + "' is not a name: at most 63 letters, digits, '.', '_' and '-'");
        }
    }

    /** As it stands in a certificate. */
    public String uri() {
        return "stillcut://" + role.word() + "/" + name;
    }

    /** Reads what {@link #uri} has written; empty if the text is anything else. */
    public static Optional<Identity> parse(String uri) {
        Matcher matcher = WRITTEN.matcher(uri);
        return matcher.matches()
                ? Role.of(matcher.group(1)).map(role -> new Identity(role, matcher.group(2)))
                : Optional.empty();
    }

    /** What the certificate says; empty if it says nothing, or more than one thing. */
    public static Optional<Identity> of(X509Certificate certificate) {
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            if (names == null) {
                return Optional.empty();
            }
            List<Identity> identities = names.stream()
                    .filter(name -> name.getFirst().equals(KIND_URI))
                    .flatMap(name -> parse(String.valueOf(name.get(1))).stream())
                    .toList();
            return identities.size() == 1 ? Optional.of(identities.getFirst()) : Optional.empty();
        } catch (CertificateParsingException e) {
            return Optional.empty();
        }
    }

    @Override
    public String toString() {
        return role.word() + " " + name;
    }
}
