package org.stillcut.coordinator.rpc;

import io.grpc.Context;
import java.util.Set;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.protocol.AgentId;
import org.stillcut.security.Identity;
import org.stillcut.security.Role;

/** Who makes a call. */
sealed interface Caller {
    /** Of the call that the current thread handles; set by {@link AccessInterceptor} for every call. */
    Context.Key<Caller> KEY = Context.key("caller");

    /** Somebody on this machine, who may do everything: the unix socket is root's, and so is a coordinator on loopback. */
    record Local() implements Caller {
        @Override
        public boolean isOneOf(Set<Role> roles) {
            return true;
        }

        @Override
        public boolean maySee(JobDescription job) {
            return true;
        }

        @Override
        public boolean isAgent(AgentId agent) {
            return true;
        }

        @Override
        public String owner() {
            return JobDescription.NO_OWNER;
        }

        @Override
        public String toString() {
            return "local";
        }
    }

    /** Somebody with a certificate. */
    record Certified(Identity identity) implements Caller {
        @Override
        public boolean isOneOf(Set<Role> roles) {
            return roles.contains(identity.role());
        }

        @Override
        public boolean maySee(JobDescription job) {
            return switch (identity.role()) {
                case OPERATOR -> true;
                case USER -> job.owner().equals(identity.name());
                case AGENT, COORDINATOR -> false;
            };
        }

        @Override
        public boolean isAgent(AgentId agent) {
            return identity.role() == Role.AGENT && identity.name().equals(agent.value());
        }

        @Override
        public String owner() {
            return identity.name();
        }

        @Override
        public String toString() {
            return identity.toString();
        }
    }

    /** Whether this caller has one of the roles. */
    boolean isOneOf(Set<Role> roles);

    /** Whether jobs like this are this caller's business. */
    boolean maySee(JobDescription job);

    /** Whether this caller may speak for an agent. */
    boolean isAgent(AgentId agent);

    /** Whose the jobs are that this caller submits. */
    String owner();

    /** Of the call that the current thread handles. */
    static Caller current() {
        Caller caller = KEY.get();
        if (caller == null) {
            throw new IllegalStateException("a call that nobody has looked at");
        }
        return caller;
    }
}
