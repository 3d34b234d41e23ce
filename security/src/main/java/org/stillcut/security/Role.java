package org.stillcut.security;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What the holder of a certificate may be. */
public enum Role {
    /** Runs jobs, and sees and touches only its own. */
    USER,
    /** Sees and touches all jobs. */
    OPERATOR,
    /** The agent of one node, which is the certificate's name. */
    AGENT,
    /** The one that all the others talk to. */
    COORDINATOR;

    /** As it stands in certificates and on command lines. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The role of such a word, if there is one. */
    public static Optional<Role> of(String word) {
        return Arrays.stream(values()).filter(role -> role.word().equals(word)).findFirst();
    }
}
