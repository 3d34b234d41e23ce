package org.stillcut.agent.rpc;

import java.util.Collection;
import java.util.List;
import org.stillcut.protocol.Connection;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.v1.TrafficReport;

/** What was seen of a job's traffic, as it goes over the wire. */
final class TrafficCodec {
    /**
     * A coordinator ends the session that brings it a message of more than 4 MiB, and with it all jobs of the node would suffer.
     * A guest can show 3,600 connections.
     */
    private static final int MOST_BYTES = 3 << 20;

    private TrafficCodec() {}

    static TrafficReport report(Incarnation incarnation, long round, List<VmTraffic> looks) {
        TrafficReport.Builder report = TrafficReport.newBuilder()
                .setIncarnation(WireCodec.incarnation(incarnation))
                .setRound(round);
        looks.forEach(look -> report.addVms(vm(look)));
        TrafficReport whole = report.build();
        return whole.getSerializedSize() <= MOST_BYTES
                ? whole
                : report.clearVms().setFailure(tooMuch(looks)).build();
    }

    /** Looks that go with something else; none if they are too much for it. */
    static List<org.stillcut.v1.VmTraffic> looks(Collection<VmTraffic> looks) {
        List<org.stillcut.v1.VmTraffic> wire =
                looks.stream().map(TrafficCodec::vm).toList();
        long bytes = wire.stream()
                .mapToLong(org.stillcut.v1.VmTraffic::getSerializedSize)
                .sum();
        return bytes <= MOST_BYTES ? wire : List.of();
    }

    private static String tooMuch(List<VmTraffic> looks) {
        int connections =
                looks.stream().mapToInt(look -> look.connections().size()).sum();
        return "its VMs show " + connections + " connections, more than fit into a report of " + MOST_BYTES + " bytes";
    }

    private static org.stillcut.v1.VmTraffic vm(VmTraffic look) {
        org.stillcut.v1.VmTraffic.Builder wire = org.stillcut.v1.VmTraffic.newBuilder()
                .setVm(look.vm().index())
                .setMonotonicNanos(look.monotonicNanos())
                .setGateClosed(look.gateClosed())
                .setFrozen(look.frozen())
                .setRestored(look.restored())
                .setParked(look.parked())
                .setInCall(look.inCall())
                .setOutside(look.outside())
                .setCalls(look.calls())
                .addAllNotHeld(look.notHeld())
                .setDigest(look.digest());
        look.connections().forEach(connection -> wire.addConnections(connection(connection)));
        return wire.build();
    }

    private static org.stillcut.v1.Connection connection(Connection connection) {
        return org.stillcut.v1.Connection.newBuilder()
                .setLocalAddress(connection.local().address())
                .setLocalPort(connection.local().port())
                .setRemoteAddress(connection.remote().address())
                .setRemotePort(connection.remote().port())
                .setState(
                        switch (connection.state()) {
                            case ESTABLISHED -> org.stillcut.v1.Connection.State.STATE_ESTABLISHED;
                            case OPENING -> org.stillcut.v1.Connection.State.STATE_OPENING;
                            case CLOSING -> org.stillcut.v1.Connection.State.STATE_CLOSING;
                        })
                .setWithinVm(connection.withinVm())
                .setProbesWindow(connection.probesWindow())
                .setSentIsGuess(connection.sentIsGuess())
                .setSent(connection.sent())
                .setReceived(connection.received())
                .setUnsent(connection.unsent())
                .setUnread(connection.unread())
                .setUnacknowledged(connection.unacknowledged())
                .build();
    }
}
