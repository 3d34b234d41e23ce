package org.stillcut.coordinator.job;

import java.util.List;
import java.util.Optional;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Connection;
import org.stillcut.protocol.Endpoint;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.protocol.coordinator.CoordinatorProtocol;
import org.stillcut.protocol.coordinator.Job;

/** What the agents of {@link PlayedJob} may see in their VMs, for tests of the watches alone. */
final class Looks {
    static final VmId VM0 = new VmId(0);
    static final VmId VM1 = new VmId(1);

    private Looks() {}

    static Job job() {
        return CoordinatorProtocol.create(PlayedJob.ID, PlayedJob.onAAndB(), 2)
                .next()
                .job();
    }

    /** A frozen VM whose only rank is parked. */
    static VmTraffic still(VmId vm) {
        return vm(vm, 1, 0, 0, List.of());
    }

    /** A frozen VM with a rank that has made so many calls and is in the next one. */
    static VmTraffic busy(VmId vm, long calls) {
        return vm(vm, 0, 1, calls, List.of());
    }

    /** As {@link #still}, with something of a connection to another VM that is not acknowledged. */
    static VmTraffic unacknowledged(VmId vm) {
        Connection connection = new Connection(
                new Endpoint("10.0.0.1", 4000),
                new Endpoint("10.0.0.2", 5000),
                Connection.State.ESTABLISHED,
                false,
                false,
                false,
                9,
                0,
                0,
                0,
                9);
        return new VmTraffic(vm, System.nanoTime(), true, true, false, 1, 0, 0, 0, List.of(), List.of(connection), 0);
    }

    /** As {@link #still}, but the gate is open. */
    static VmTraffic opened(VmId vm) {
        return new VmTraffic(vm, System.nanoTime(), false, true, false, 1, 0, 0, 0, List.of(), List.of(), 0);
    }

    static VmTraffic notHeld(VmId vm, String process) {
        return vm(vm, 0, 1, 0, List.of(process));
    }

    private static VmTraffic vm(VmId vm, int parked, int inCall, long calls, List<String> notHeld) {
        return new VmTraffic(vm, System.nanoTime(), true, true, false, parked, inCall, 0, calls, notHeld, List.of(), 0);
    }

    static VmId vmOf(AgentId agent) {
        return agent.equals(PlayedJob.A) ? VM0 : VM1;
    }

    static TrafficAnswer answer(AgentId agent, Incarnation incarnation, long round, VmTraffic... looks) {
        return new TrafficAnswer(agent, incarnation, round, List.of(looks), Optional.empty());
    }

    static TrafficAnswer failure(AgentId agent, Incarnation incarnation, long round, String reason) {
        return new TrafficAnswer(agent, incarnation, round, List.of(), Optional.of(reason));
    }
}
