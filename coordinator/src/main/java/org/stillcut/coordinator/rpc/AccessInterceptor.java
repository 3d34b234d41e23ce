package org.stillcut.coordinator.rpc;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.security.Identity;
import org.stillcut.security.Role;

/**
 * Looks at every call before its service does: who makes it, and whether the role may. The handshake has already made sure that
 * the certificate is good. Thread-safe.
 */
public final class AccessInterceptor implements ServerInterceptor {
    private static final Logger log = LoggerFactory.getLogger(AccessInterceptor.class);

    private final boolean withCertificates;

    /**
     * For the calls of one listener.
     *
     * @param withCertificates whether its callers must have certificates; else they are on this machine
     */
    public AccessInterceptor(boolean withCertificates) {
        this.withCertificates = withCertificates;
    }

    /** Makes sure that it was decided for each method of a service who may call it; whoever adds one decides. */
    public static void requireEntries(ServiceDescriptor service) {
        for (MethodDescriptor<?, ?> method : service.getMethods()) {
            if (AccessTable.rolesOf(method.getFullMethodName()).isEmpty()) {
                throw new IllegalStateException("who may call " + method.getFullMethodName() + "?");
            }
        }
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        Optional<Caller> caller = caller(call);
        if (caller.isEmpty()) {
            return refuse(call, Status.UNAUTHENTICATED.withDescription("no certificate that says who calls"));
        }
        String method = call.getMethodDescriptor().getFullMethodName();
        Optional<Set<Role>> roles = AccessTable.rolesOf(method);
        if (roles.isEmpty() || !caller.get().isOneOf(roles.get())) {
            log.warn("{} may not call {}", caller.get(), method);
            return refuse(call, Status.PERMISSION_DENIED.withDescription(caller.get() + " may not call " + method));
        }
        return Contexts.interceptCall(Context.current().withValue(Caller.KEY, caller.get()), call, headers, next);
    }

    private Optional<Caller> caller(ServerCall<?, ?> call) {
        return withCertificates ? certified(call) : Optional.of(new Caller.Local());
    }

    private static Optional<Caller> certified(ServerCall<?, ?> call) {
        SSLSession session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
        if (session == null) {
            return Optional.empty();
        }
        try {
            Certificate[] chain = session.getPeerCertificates();
            return chain.length > 0 && chain[0] instanceof X509Certificate certificate
                    ? Identity.of(certificate).map(Caller.Certified::new)
                    : Optional.empty();
        } catch (SSLPeerUnverifiedException e) {
            return Optional.empty();
        }
    }

    private static <Q, A> ServerCall.Listener<Q> refuse(ServerCall<Q, A> call, Status status) {
        call.close(status, new Metadata());
        return new ServerCall.Listener<>() {};
    }
}
