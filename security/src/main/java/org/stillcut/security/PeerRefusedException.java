package org.stillcut.security;

import java.security.cert.CertificateException;

/** A peer's certificate is refused. What the TLS engine wraps in its own exceptions, on its way to who made the call. */
public final class PeerRefusedException extends CertificateException {
    private static final long serialVersionUID = 1L;

    private final TlsProblem problem;
    private final String line;

    PeerRefusedException(TlsProblem problem, String line, Throwable cause) {
        super(line, cause);
        this.problem = problem;
        this.line = line;
    }

    public TlsProblem problem() {
        return problem;
    }

    public String line() {
        return line;
    }
}
