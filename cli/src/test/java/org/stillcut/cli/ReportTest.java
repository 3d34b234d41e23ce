package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.NodeState;

/** Scripts read these shapes: a field may be added, never changed. */
class ReportTest {
    @Test
    void shapeOfACheckpointIsPinned() {
        assertThat(Report.print(
                        Report.document("checkpoint").set("checkpoint", Report.checkpoint(Samples.checkpoint(2)))))
                .isEqualTo("{\"schema\":\"stillcut.checkpoint/1\",\"checkpoint\":{\"reference\":\"heat-0001@2\","
                        + "\"job\":\"heat-0001\",\"sequence\":2,\"epoch\":1,\"createdUnixMillis\":1767323045678,"
                        + "\"imageBytes\":4294967296,\"storedBytes\":6291456,\"pauseMicros\":12300,"
                        + "\"stepMicros\":{\"prepare\":1500000,\"freeze\":12300},"
                        + "\"stepBeganUnixMicros\":{\"prepare\":0,\"freeze\":1767323045678007},"
                        + "\"quiescence\":{\"gated\":true,\"notGatedBecause\":\"\",\"forced\":true,"
                        + "\"forcedBecause\":\"vm1: 1 threads are in MPI calls, 0 compute\",\"connections\":3,"
                        + "\"unsentBytes\":0,\"unreadBytes\":4096,\"drainRounds\":17,\"verifyRounds\":1,"
                        + "\"digests\":[\"fffffffffffffffe\",\"000000000000000a\"]},\"snapshots\":["
                        + "{\"vm\":0,\"node\":\"a\",\"imageBytes\":3221225472,\"storedBytes\":5242880},"
                        + "{\"vm\":1,\"node\":\"b\",\"imageBytes\":1073741824,\"storedBytes\":1048576}]}}");
    }

    @Test
    void shapeOfAJobIsPinned() {
        assertThat(Report.print(Report.job(Samples.running())))
                .isEqualTo("{\"job\":\"heat-0001\",\"state\":\"running\",\"reason\":\"\",\"epoch\":2,\"restarts\":1,"
                        + "\"newestCheckpoint\":2,\"createdUnixMillis\":1767323045678,\"owner\":\"\",\"placement\":["
                        + "{\"vm\":0,\"node\":\"a\"},{\"vm\":1,\"node\":\"b\"}],\"events\":["
                        + "{\"unixMillis\":1767323045678,\"text\":\"running, epoch 2\"}]}");
        assertThat(Report.print(Report.job(Samples.ended(0))))
                .contains(
                        "\"state\":\"ended\"", "\"createdUnixMillis\":1767323045678,\"owner\":\"\",\"exitStatus\":0,");
    }

    @Test
    void shapeOfANodeIsPinned() {
        assertThat(Report.print(Report.node(Samples.node())))
                .isEqualTo("{\"node\":\"a\",\"state\":\"silent\",\"vcpuSlots\":8,\"usedVcpuSlots\":2,"
                        + "\"memoryBytes\":17179869184,\"usedMemoryBytes\":1073741824,\"accelerator\":\"tcg\","
                        + "\"acceleratorReason\":\"no /dev/kvm\",\"tracker\":\"all-pages\","
                        + "\"trackerReason\":\"no library\",\"qemuVersion\":\"10.0.2\","
                        + "\"dataAddress\":\"10.0.0.1\",\"lastHeardUnixMillis\":1767323045678}");
    }

    @Test
    void wordsOfStatesArePinned() {
        assertThat(Stream.of(JobPhase.values()).map(Report::word))
                .isEqualTo(List.of(
                        "unknown",
                        "starting",
                        "running",
                        "checkpointing",
                        "restarting",
                        "lost",
                        "ending",
                        "ended",
                        "unknown"));
        assertThat(Stream.of(NodeState.values()).map(Report::word))
                .isEqualTo(List.of("unknown", "up", "silent", "lost", "unknown"));
    }
}
