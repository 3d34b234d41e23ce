package org.stillcut.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class WordsTest {
    private static final JobId JOB = new JobId("solver");
    private static final AgentId A = new AgentId("a");
    private static final AgentId B = new AgentId("b");
    private static final Incarnation FIRST = new Incarnation(JOB, 1);

    @Test
    void placementRejectsAnAgentWithoutVms() {
        assertThatThrownBy(() -> placement(Map.of(A, vms(0), B, vms())))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("agent b is placed without a VM");
    }

    @Test
    void placementRejectsAVmInTwoPlaces() {
        assertThatThrownBy(() -> placement(Map.of(A, vms(0, 1), B, vms(1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("vm1 is placed twice");
    }

    @Test
    void placementRejectsGapsAndEmptiness() {
        assertThatThrownBy(() -> placement(Map.of(A, vms(0, 2)))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> placement(Map.of())).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void placementDoesNotChangeWithWhatItWasMadeOf() {
        SortedSet<VmId> source = vms(0);
        Placement placement = placement(Map.of(A, source));
        source.add(new VmId(1));
        assertThat(placement.vms()).containsExactly(new VmId(0));
        assertThat(placement.vmsOf(B)).isEmpty();
        assertThat(placement.launcher()).isEqualTo(A);
    }

    @Test
    void commandNamesACheckpointExactlyWhereItsStepDoes() {
        CheckpointId id = new CheckpointId(JOB, 1);
        for (Step step : Step.values()) {
            Optional<CheckpointId> wrong = step.namesCheckpoint() ? Optional.empty() : Optional.of(id);
            assertThatThrownBy(() -> new CommandKey(FIRST, step, wrong))
                    .as("%s", step)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void commandIsOfOneJob() {
        CheckpointId other = new CheckpointId(new JobId("other"), 1);
        assertThatThrownBy(() -> CommandKey.of(FIRST, Step.FREEZE, other)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void commandNamesVmsUnlessItDestroys() {
        assertThatThrownBy(() -> Command.of(CommandKey.of(FIRST, Step.BOOT), vms()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Command.of(CommandKey.of(FIRST, Step.DESTROY), vms(0)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void onlyPersistAnswersSnapshots() {
        SortedMap<VmId, SnapshotRef> snapshots = new TreeMap<>(Map.of(new VmId(0), new SnapshotRef("s")));
        assertThatThrownBy(() -> new Report.Done(A, CommandKey.of(FIRST, Step.BOOT), snapshots))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void onlyStepsThatAreWatchedShowTraffic() {
        VmTraffic look = new VmTraffic(new VmId(0), 1, true, true, false, 1, 0, 0, 7, List.of(), List.of(), 42);
        for (Step step : Step.CHECKPOINT_ORDER) {
            assertThat(step.showsTraffic())
                    .as("%s", step)
                    .isEqualTo(Watch.after(step).isPresent());
            CommandKey key = CommandKey.of(FIRST, step, new CheckpointId(JOB, 1));
            if (!step.showsTraffic()) {
                assertThatThrownBy(() ->
                                new Report.Done(A, key, new TreeMap<>(), new TreeMap<>(Map.of(new VmId(0), look))))
                        .isInstanceOf(IllegalArgumentException.class);
            }
        }
    }

    @Test
    void stepsOfACheckpointFollowEachOther() {
        for (int index = 0; index + 1 < Step.CHECKPOINT_ORDER.size(); index++) {
            assertThat(Step.CHECKPOINT_ORDER.get(index).nextOfCheckpoint())
                    .contains(Step.CHECKPOINT_ORDER.get(index + 1));
        }
        assertThat(Step.PERSIST.nextOfCheckpoint()).isEmpty();
        assertThat(Step.ABORT.nextOfCheckpoint()).isEmpty();
    }

    @Test
    void checkpointsOfTwoJobsHaveNoOrderInTime() {
        CheckpointId other = new CheckpointId(new JobId("other"), 1);
        assertThatThrownBy(() -> other.isOlderThan(new CheckpointId(JOB, 2)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void failuresReadAsOneLine() {
        SortedSet<AgentId> missing = new TreeSet<>(List.of(A, B));
        assertThat(new CheckpointFailure.DeadlinePassed(Step.PAUSE, missing).describe())
                .isEqualTo("no answer to PAUSE in time from a, b");
        assertThat(new CheckpointFailure.StoreFull(A, "0 bytes left").describe())
                .isEqualTo("the store is full for node a: 0 bytes left");
    }

    private static Placement placement(Map<AgentId, SortedSet<VmId>> vmsByAgent) {
        return new Placement(new TreeMap<>(vmsByAgent));
    }

    private static SortedSet<VmId> vms(int... indexes) {
        SortedSet<VmId> vms = new TreeSet<>();
        for (int index : indexes) {
            vms.add(new VmId(index));
        }
        return vms;
    }
}
