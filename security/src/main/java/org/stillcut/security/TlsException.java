package org.stillcut.security;

import io.grpc.netty.shaded.io.netty.handler.ssl.NotSslRecordException;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** A certificate, or a connection that needs one, is not as it must be; the message is one line for a person. */
public final class TlsException extends Exception {
    private static final long serialVersionUID = 1L;

    /** A chain of causes is short; a circle is not one. */
    private static final int MOST_CAUSES = 20;

    private final TlsProblem problem;
    private final String line;

    TlsException(TlsProblem problem, String line, @Nullable Throwable cause) {
        super(line, cause);
        this.problem = problem;
        this.line = line;
    }

    TlsException(TlsProblem problem, String line) {
        this(problem, line, null);
    }

    public TlsProblem problem() {
        return problem;
    }

    public String line() {
        return line;
    }

    /** What a failed call has to do with TLS; empty: nothing. */
    public static Optional<TlsException> behind(Throwable failure) {
        Optional<TlsException> found = Optional.empty();
        @Nullable Throwable cause = failure;
        for (int depth = 0; cause != null && depth < MOST_CAUSES; depth++) {
            switch (cause) {
                case TlsException known -> {
                    return Optional.of(known);
                }
                case PeerRefusedException refused -> {
                    return Optional.of(new TlsException(refused.problem(), refused.line(), failure));
                }
                case NotSslRecordException _ -> {
                    return Optional.of(new TlsException(
                            TlsProblem.PLAIN_PEER, "the peer does not speak TLS, and --tls asks for it", failure));
                }
                case SSLException handshake ->
                    found = Optional.of(new TlsException(
                            TlsProblem.HANDSHAKE, "no TLS connection: " + handshake.getMessage(), failure));
                default -> {
                    // Whatever wraps the failure, or is below it.
                }
            }
            cause = cause.getCause();
        }
        return found;
    }
}
