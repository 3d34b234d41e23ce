package org.stillcut.coordinator.rpc;

import io.grpc.stub.StreamObserver;
import org.stillcut.coordinator.NodeUsage;
import org.stillcut.coordinator.membership.AgentRegistry;
import org.stillcut.coordinator.membership.NodeStatus;
import org.stillcut.v1.ListNodesRequest;
import org.stillcut.v1.ListNodesResponse;
import org.stillcut.v1.Node;
import org.stillcut.v1.NodeServiceGrpc;
import org.stillcut.v1.NodeState;

/** What users and operators ask about nodes. */
public final class NodeServiceImpl extends NodeServiceGrpc.NodeServiceImplBase {
    private final AgentRegistry registry;
    private final NodeUsage usage;

    public NodeServiceImpl(AgentRegistry registry, NodeUsage usage) {
        this.registry = registry;
        this.usage = usage;
    }

    @Override
    public void listNodes(ListNodesRequest request, StreamObserver<ListNodesResponse> responses) {
        StatusMapper.answer(
                responses,
                () -> ListNodesResponse.newBuilder()
                        .addAllNodes(registry.nodes().stream().map(this::node).toList())
                        .build());
    }

    private Node node(NodeStatus status) {
        NodeUsage.Used used = usage.of(status.profile().agent());
        return Node.newBuilder()
                .setDescription(WireCodec.node(status.profile()))
                .setState(state(status.state()))
                .setUsedVcpuSlots(used.vcpus())
                .setUsedMemoryBytes(used.memoryBytes())
                .setLastHeardUnixMillis(status.lastHeard().toEpochMilli())
                .build();
    }

    private static NodeState state(NodeStatus.State state) {
        return switch (state) {
            case UP -> NodeState.NODE_STATE_UP;
            case SILENT -> NodeState.NODE_STATE_SILENT;
            case LOST -> NodeState.NODE_STATE_LOST;
        };
    }
}
