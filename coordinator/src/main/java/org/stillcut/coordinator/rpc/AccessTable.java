package org.stillcut.coordinator.rpc;

import io.grpc.MethodDescriptor;
import io.grpc.health.v1.HealthGrpc;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.stillcut.security.Role;
import org.stillcut.v1.AgentServiceGrpc;
import org.stillcut.v1.CheckpointServiceGrpc;
import org.stillcut.v1.JobServiceGrpc;
import org.stillcut.v1.NodeServiceGrpc;

/** Which roles may call what. A method that is not in here may be called by nobody. Which jobs a user's calls reach is not decided here. */
final class AccessTable {
    private static final Set<Role> PEOPLE = EnumSet.of(Role.USER, Role.OPERATOR);
    private static final Set<Role> AGENTS = EnumSet.of(Role.AGENT);
    private static final Set<Role> ANYBODY = EnumSet.of(Role.USER, Role.OPERATOR, Role.AGENT);

    private static final Map<String, Set<Role>> ROLES = new TreeMap<>();

    static {
        allow(JobServiceGrpc.getSubmitJobMethod(), PEOPLE);
        allow(JobServiceGrpc.getWatchJobMethod(), PEOPLE);
        allow(JobServiceGrpc.getGetJobMethod(), PEOPLE);
        allow(JobServiceGrpc.getListJobsMethod(), PEOPLE);
        allow(JobServiceGrpc.getSignalJobMethod(), PEOPLE);
        allow(JobServiceGrpc.getCancelJobMethod(), PEOPLE);
        allow(JobServiceGrpc.getFetchFilesMethod(), PEOPLE);
        allow(CheckpointServiceGrpc.getCreateCheckpointMethod(), PEOPLE);
        allow(CheckpointServiceGrpc.getListCheckpointsMethod(), PEOPLE);
        allow(CheckpointServiceGrpc.getGetCheckpointMethod(), PEOPLE);
        allow(CheckpointServiceGrpc.getRestartJobMethod(), PEOPLE);
        allow(NodeServiceGrpc.getListNodesMethod(), PEOPLE);
        allow(AgentServiceGrpc.getSessionMethod(), AGENTS);
        allow(AgentServiceGrpc.getFetchJobFilesMethod(), AGENTS);
        allow(AgentServiceGrpc.getDeliverFilesMethod(), AGENTS);
        allow(HealthGrpc.getCheckMethod(), ANYBODY);
        allow(HealthGrpc.getWatchMethod(), ANYBODY);
    }

    private AccessTable() {}

    private static void allow(MethodDescriptor<?, ?> method, Set<Role> roles) {
        ROLES.put(method.getFullMethodName(), roles);
    }

    /** Who may call a method; empty: nobody, as it is unknown. */
    static Optional<Set<Role>> rolesOf(String fullMethodName) {
        return Optional.ofNullable(ROLES.get(fullMethodName)).map(Collections::unmodifiableSet);
    }

    /** All methods that somebody may call. */
    static Set<String> methods() {
        return Collections.unmodifiableSet(ROLES.keySet());
    }
}
