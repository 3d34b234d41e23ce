package org.stillcut.coordinator.rpc;

import java.util.List;
import java.util.Optional;
import org.stillcut.coordinator.job.TrafficAnswer;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Connection;
import org.stillcut.protocol.Endpoint;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.v1.TrafficReport;

/** What an agent has seen of a job's traffic, as it comes over the wire; nonsense is an {@link IllegalArgumentException}. */
final class TrafficCodec {
    private TrafficCodec() {}

    static TrafficAnswer answer(AgentId agent, TrafficReport wire) {
        List<VmTraffic> looks = wire.getVmsList().stream().map(TrafficCodec::vm).toList();
        return new TrafficAnswer(
                agent,
                WireCodec.incarnation(wire.getIncarnation()),
                wire.getRound(),
                looks,
                wire.getFailure().isEmpty() ? Optional.empty() : Optional.of(wire.getFailure()));
    }

    static VmTraffic vm(org.stillcut.v1.VmTraffic wire) {
        return new VmTraffic(
                new VmId(wire.getVm()),
                wire.getMonotonicNanos(),
                wire.getGateClosed(),
                wire.getFrozen(),
                wire.getRestored(),
                wire.getParked(),
                wire.getInCall(),
                wire.getOutside(),
                wire.getCalls(),
                wire.getNotHeldList(),
                wire.getConnectionsList().stream().map(TrafficCodec::connection).toList(),
                wire.getDigest());
    }

    private static Connection connection(org.stillcut.v1.Connection wire) {
        return new Connection(
                new Endpoint(wire.getLocalAddress(), wire.getLocalPort()),
                new Endpoint(wire.getRemoteAddress(), wire.getRemotePort()),
                switch (wire.getState()) {
                    case STATE_ESTABLISHED -> Connection.State.ESTABLISHED;
                    case STATE_OPENING -> Connection.State.OPENING;
                    case STATE_CLOSING -> Connection.State.CLOSING;
                    case STATE_UNSPECIFIED, UNRECOGNIZED ->
                        throw new IllegalArgumentException("not a state of a connection: " + wire.getState());
                },
                wire.getWithinVm(),
                wire.getProbesWindow(),
                wire.getSentIsGuess(),
                wire.getSent(),
                wire.getReceived(),
                wire.getUnsent(),
                wire.getUnread(),
                wire.getUnacknowledged());
    }
}
