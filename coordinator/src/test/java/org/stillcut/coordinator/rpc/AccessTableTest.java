package org.stillcut.coordinator.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.google.protobuf.Descriptors.FileDescriptor;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.ProtoUtils;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.stillcut.security.Role;
import org.stillcut.v1.Checkpoint;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobServiceGrpc;
import org.stillcut.v1.Join;
import org.stillcut.v1.Node;

class AccessTableTest {
    /** Of all services in the wire schema, whether anybody serves them or not. */
    private static Set<String> methodsOfTheSchema() {
        return Stream.concat(
                        ownMethods(),
                        HealthGrpc.getServiceDescriptor().getMethods().stream()
                                .map(MethodDescriptor::getFullMethodName))
                .collect(Collectors.toSet());
    }

    private static Stream<String> ownMethods() {
        return Stream.of(Job.getDescriptor(), Checkpoint.getDescriptor(), Node.getDescriptor(), Join.getDescriptor())
                .map(message -> message.getFile())
                .map(FileDescriptor::getServices)
                .flatMap(services -> services.stream())
                .flatMap(service -> service.getMethods().stream())
                .map(method -> method.getService().getFullName() + "/" + method.getName());
    }

    @Test
    void everyMethodHasRoles() {
        Set<String> methods = methodsOfTheSchema();
        assertThat(methods).contains(JobServiceGrpc.getSubmitJobMethod().getFullMethodName());
        assertThat(AccessTable.methods()).containsExactlyInAnyOrderElementsOf(methods);
        for (String method : methods) {
            assertThat(AccessTable.rolesOf(method).orElseThrow()).as(method).isNotEmpty();
        }
    }

    @Test
    void agentsAndPeopleHaveNothingInCommon() {
        for (String method : ownMethods().toList()) {
            Set<Role> roles = AccessTable.rolesOf(method).orElseThrow();
            assertThat(roles.contains(Role.AGENT))
                    .as(method)
                    .isEqualTo(method.startsWith("stillcut.v1.AgentService/"))
                    .isNotEqualTo(roles.contains(Role.USER) || roles.contains(Role.OPERATOR));
            assertThat(roles).as(method).doesNotContain(Role.COORDINATOR);
        }
    }

    @Test
    void serviceWithAMethodWithoutRolesIsNotServed() {
        MethodDescriptor<Job, Job> unknown = MethodDescriptor.<Job, Job>newBuilder()
                .setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName("stillcut.v1.JobService/BuyJob")
                .setRequestMarshaller(ProtoUtils.marshaller(Job.getDefaultInstance()))
                .setResponseMarshaller(ProtoUtils.marshaller(Job.getDefaultInstance()))
                .build();
        assertThatIllegalStateException()
                .isThrownBy(() ->
                        AccessInterceptor.requireEntries(new ServiceDescriptor("stillcut.v1.JobService", unknown)))
                .withMessage("who may call stillcut.v1.JobService/BuyJob?");
    }
}
