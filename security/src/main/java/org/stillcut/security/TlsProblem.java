package org.stillcut.security;

/** What may be wrong with a certificate, or with a connection that needs one. */
public enum TlsProblem {
    /** A file that belongs to the three is not there, or cannot be read or understood. */
    UNREADABLE,
    /** Others on this machine may read the private key. */
    KEY_EXPOSED,
    /** The private key is not that of the certificate. */
    KEY_MISMATCH,
    EXPIRED,
    NOT_YET_VALID,
    /** Not signed by the authority that is trusted. */
    OTHER_AUTHORITY,
    /** It does not say who its holder is, or the role is another than the one needed. */
    WRONG_ROLE,
    /** Its holder is somebody else than the one meant: another node, another host. */
    WRONG_NAME,
    /** The peer does not speak TLS. */
    PLAIN_PEER,
    /** Anything else that ended the handshake; the peer's refusal of our certificate looks like this. */
    HANDSHAKE
}
