package org.stillcut.agent.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.stillcut.protocol.Connection;
import org.stillcut.protocol.Endpoint;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.v1.TrafficReport;

class TrafficCodecTest {
    /** What a coordinator takes; a larger message ends the session of the node. */
    private static final int COORDINATOR_TAKES_BYTES = 4 << 20;

    private static final int MOST_OF_A_GUEST = 3_600;

    /** As long as it gets. */
    private static final Connection LONG = new Connection(
            new Endpoint("fd00:1111:2222:3333:4444:5555:6666:7777", 65_535),
            new Endpoint("fd00:1111:2222:3333:4444:5555:6666:8888", 65_534),
            Connection.State.ESTABLISHED,
            true,
            true,
            true,
            Long.MAX_VALUE,
            Long.MAX_VALUE,
            4_294_967_295L,
            4_294_967_295L,
            4_294_967_295L);

    private static TrafficReport reportOf(int vms) {
        List<VmTraffic> looks = new ArrayList<>();
        for (int vm = 0; vm < vms; vm++) {
            looks.add(new VmTraffic(
                    new VmId(vm),
                    1,
                    true,
                    true,
                    false,
                    1,
                    2,
                    3,
                    4,
                    List.of(),
                    Collections.nCopies(MOST_OF_A_GUEST, LONG),
                    -1));
        }
        return TrafficCodec.report(new Incarnation(new JobId("solver-0001"), 1), 7, looks);
    }

    @Test
    void reportThatACoordinatorTakesIsWhole() {
        TrafficReport report = reportOf(4);
        assertThat(report.getVmsCount()).isEqualTo(4);
        assertThat(report.getFailure()).isEmpty();
        assertThat(report.getVms(3).getConnectionsCount()).isEqualTo(MOST_OF_A_GUEST);
    }

    @Test
    void reportThatWouldEndTheSessionSaysWhyThereIsNone() {
        TrafficReport report = reportOf(16);
        assertThat(report.getSerializedSize()).isLessThan(COORDINATOR_TAKES_BYTES);
        assertThat(report.getVmsCount()).isZero();
        assertThat(report.getRound()).isEqualTo(7);
        assertThat(report.getFailure())
                .isEqualTo("its VMs show 57600 connections, more than fit into a report of 3145728 bytes");
    }
}
