package org.stillcut.protocol.coordinator;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.stillcut.protocol.coordinator.JobScript.A;
import static org.stillcut.protocol.coordinator.JobScript.B;
import static org.stillcut.protocol.coordinator.JobScript.C;
import static org.stillcut.protocol.coordinator.JobScript.JOB;
import static org.stillcut.protocol.coordinator.JobScript.checkpoint;
import static org.stillcut.protocol.coordinator.JobScript.commands;
import static org.stillcut.protocol.coordinator.JobScript.epoch;
import static org.stillcut.protocol.coordinator.JobScript.placement;
import static org.stillcut.protocol.coordinator.JobScript.restarting;
import static org.stillcut.protocol.coordinator.JobScript.sent;
import static org.stillcut.protocol.coordinator.JobScript.withCheckpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.Watch;
import org.stillcut.protocol.coordinator.JobEffect.PlanRestart;
import org.stillcut.protocol.coordinator.JobRecord.CutConfirmed;
import org.stillcut.protocol.coordinator.JobRecord.JobLost;
import org.stillcut.protocol.coordinator.JobRecord.RestartDecided;
import org.stillcut.protocol.coordinator.JobRecord.VmsReady;

class RestartTest {
    @Test
    void lossAsksForAPlanWithoutTheLostNode() {
        Transition lost = withCheckpoint().on(new JobEvent.AgentLost(B));
        assertThat(lost.effects())
                .filteredOn(PlanRestart.class::isInstance)
                .singleElement()
                .satisfies(effect -> assertThat(((PlanRestart) effect).lost()).containsExactly(B));
    }

    @Test
    void adoptedJobIsLostUntilItIsRestartedAsTheEpochAfterItsLast() {
        Transition adopted = CoordinatorProtocol.adopt(JobScript.JOB, placement(A, C), 1, 4, checkpoint(7));
        assertThat(adopted.next()).isInstanceOf(JobState.Lost.class);
        assertThat(adopted.next())
                .isEqualTo(CoordinatorProtocol.recover(adopted.persistFirst(), Optional.of(checkpoint(7))));
        assertThat(adopted.effects()).isEmpty();

        Transition planned =
                CoordinatorProtocol.step(adopted.next(), new JobEvent.RestartPlanned(checkpoint(3), placement(A, C)));
        assertThat(planned.persistFirst()).containsExactly(new RestartDecided(5, checkpoint(3), placement(A, C)));
        assertThat(planned.next().job().nextCheckpoint()).isEqualTo(checkpoint(8));

        List<JobRecord> records = new ArrayList<>(adopted.persistFirst());
        records.addAll(planned.persistFirst());
        assertThat(CoordinatorProtocol.recover(records, Optional.of(checkpoint(7)))
                        .job()
                        .epoch())
                .isEqualTo(5);
    }

    @Test
    void restartDestroysThenLoadsThenRunsThenComparesThenThaws() {
        JobScript script = withCheckpoint();
        script.on(new JobEvent.AgentLost(B));
        Transition planned = script.on(new JobEvent.RestartPlanned(checkpoint(1), placement(A, C)));
        assertThat(planned.persistFirst()).containsExactly(new RestartDecided(2, checkpoint(1), placement(A, C)));
        assertThat(commands(planned)).containsExactly(Command.destroy(epoch(1)));
        assertThat(sent(script.done(A))).containsExactly(entry(A, Step.RESTORE), entry(C, Step.RESTORE));
        script.done(C);
        Transition loaded = script.done(A);
        assertThat(loaded.persistFirst()).containsExactly(new VmsReady(2));
        assertThat(sent(loaded)).containsExactly(entry(A, Step.RUN), entry(C, Step.RUN));
        script.done(C);
        assertThat(script.done(A).effects()).anyMatch(effect -> isWatch(effect, Watch.COMPARE));
        Transition compared = script.watched(Optional.empty());
        assertThat(compared.persistFirst()).containsExactly(new CutConfirmed(2));
        assertThat(sent(compared)).containsExactly(entry(A, Step.THAW), entry(C, Step.THAW));
        script.done(C);
        assertThat(script.done(A).effects()).anyMatch(effect -> isWatch(effect, Watch.PROGRESS));
        script.watched(Optional.empty());
        assertThat(script.phase()).isEqualTo(JobPhase.RUNNING);
        assertThat(script.state().job().incarnation()).isEqualTo(epoch(2));
    }

    @ParameterizedTest
    @EnumSource(names = {"RUN", "THAW"})
    void trafficThatIsNotWhatItMustBeMakesARestartFail(Step step) {
        JobScript script = restarting();
        script.leadTo(step);
        barrierDone(script);
        script.watched(Optional.of("vm1 has another connection"));
        assertThat(script.phase()).isEqualTo(JobPhase.PLANNING);
        assertThat(script.state().describe()).contains("vm1 has another connection");
    }

    @Test
    void exitOfThawedJobEndsItsRestart() {
        JobScript script = restarting();
        script.leadTo(Step.THAW);
        barrierDone(script);
        script.on(new JobEvent.JobExited(epoch(2), 0));
        assertThat(script.phase()).isEqualTo(JobPhase.ENDING);
    }

    private static void barrierDone(JobScript script) {
        script.barrier().awaited().forEach(script::done);
    }

    private static boolean isWatch(JobEffect effect, Watch watch) {
        return effect instanceof JobEffect.WatchTraffic traffic && traffic.watch() == watch;
    }

    @Test
    void nodeThatComesBackWithAnOldIncarnationMustDestroyIt() {
        JobScript script = restarting();
        script.leadTo(Step.THAW);
        script.doneByAll();
        assertThat(commands(script.connected(B, 1))).containsExactly(Command.destroy(epoch(1)));
        assertThat(script.phase()).isEqualTo(JobPhase.RUNNING);
    }

    @Test
    void agentThatDoesNotDestroyInTimeIsNotWaitedFor() {
        JobScript script = restarting();
        assertThat(sent(script.deadline())).containsExactly(entry(A, Step.RESTORE), entry(C, Step.RESTORE));
    }

    @ParameterizedTest
    @EnumSource(names = {"DESTROY", "RESTORE", "RUN", "THAW"})
    void lossDuringARestartIsPlannedAgain(Step step) {
        JobScript script = restarting();
        script.leadTo(step);
        script.on(new JobEvent.AgentLost(C));
        assertThat(script.phase()).isEqualTo(JobPhase.PLANNING);
        script.connected(B, 1);
        script.on(new JobEvent.RestartPlanned(checkpoint(1), placement(A, B)));
        assertThat(script.state().job().incarnation()).isEqualTo(epoch(3));
        script.leadTo(Step.THAW);
        script.doneByAll();
        assertThat(script.phase()).isEqualTo(JobPhase.RUNNING);
    }

    @Test
    void damagedSnapshotSpeaksAgainstItsCheckpointAndNotAgainstTheNode() {
        JobScript script = restarting();
        script.leadTo(Step.RESTORE);
        CommandKey key = CommandKey.of(epoch(2), Step.RESTORE, checkpoint(1));
        Transition planning = script.on(new JobEvent.Reported(
                new Report.Failed(A, key, new CheckpointFailure.SnapshotDamaged(A, "bad checksum"))));
        assertThat(planning.next().job().budget().distrusted()).containsExactly(checkpoint(1));
        assertThat(planning.next().job().fence().doubtful()).isEmpty();
    }

    @Test
    void checkpointIsTriedTwiceWhenARestartFailsForAnotherReason() {
        JobScript script = restarting();
        script.leadTo(Step.RESTORE);
        assertThat(script.failed(A, "no QEMU").next().job().budget().distrusted())
                .isEmpty();
        script.on(new JobEvent.RestartPlanned(checkpoint(1), placement(A, C)));
        script.leadTo(Step.RESTORE);
        assertThat(script.failed(A, "no QEMU").next().job().budget().distrusted())
                .containsExactly(checkpoint(1));
    }

    @Test
    void otherDigestSpeaksAgainstTheCheckpoint() {
        JobScript script = restarting();
        script.leadTo(Step.RUN);
        barrierDone(script);
        assertThat(script.watched(Optional.of("vm1 has other counters"))
                        .next()
                        .job()
                        .budget()
                        .distrusted())
                .containsExactly(checkpoint(1));
    }

    @Test
    void planWithALostNodeIsNotFollowed() {
        JobScript script = withCheckpoint();
        script.on(new JobEvent.AgentLost(B));
        Transition planned = script.on(new JobEvent.RestartPlanned(checkpoint(1), placement(A, B)));
        assertThat(planned.persistFirst()).isEmpty();
        assertThat(planned.effects()).anyMatch(PlanRestart.class::isInstance);
    }

    @Test
    void jobIsLostWhenRestartsWithoutProgressAreUsedUp() {
        JobScript script = withCheckpoint();
        script.on(new JobEvent.VmLost(A, epoch(1), new VmId(0), "killed"));
        for (int restart = 0; restart < JobScript.RESTART_LIMIT; restart++) {
            assertThat(script.phase()).isEqualTo(JobPhase.PLANNING);
            script.on(new JobEvent.RestartPlanned(checkpoint(1), placement(A, B)));
            script.leadTo(Step.RESTORE);
            script.failed(A, "image damaged");
        }
        assertThat(script.phase()).isEqualTo(JobPhase.LOST);
        assertThat(script.state().describe()).contains("image damaged", "2 restarts");
    }

    @Test
    void commitGivesTheRestartsBack() {
        JobScript script = restarting();
        script.leadTo(Step.THAW);
        script.doneByAll();
        assertThat(script.state().job().budget()).isEqualTo(new RestartBudget(1, 2));
        script.on(new JobEvent.CheckpointRequested());
        script.leadTo(Step.PERSIST);
        script.doneByAll();
        script.commit();
        assertThat(script.state().job().budget()).isEqualTo(new RestartBudget(2, 2));
    }

    @Test
    void lostJobIsDestroyedAndCanBeRestartedByHand() {
        JobScript script = withCheckpoint();
        script.on(new JobEvent.AgentLost(B));
        Transition lost = script.on(new JobEvent.RestartImpossible("no node is free"));
        assertThat(lost.persistFirst()).hasSize(1).first().isInstanceOf(JobLost.class);
        assertThat(commands(lost)).containsExactly(Command.destroy(epoch(1)));
        script.on(new JobEvent.RestartPlanned(checkpoint(1), placement(A, C)));
        assertThat(script.phase()).isEqualTo(JobPhase.RESTARTING);
    }

    @Test
    void endedJobCanBeRestartedByHand() {
        JobScript script = withCheckpoint();
        script.on(new JobEvent.JobExited(epoch(1), 1));
        script.doneByAll();
        assertThat(script.phase()).isEqualTo(JobPhase.ENDED);
        script.on(new JobEvent.RestartPlanned(checkpoint(1), placement(B, C)));
        assertThat(script.state().job().incarnation()).isEqualTo(epoch(2));
        assertThat(script.barrier().step()).isEqualTo(Step.RESTORE);
    }

    @Test
    void failedExitOfABrokenJobIsTakenForItsLoss() {
        JobScript script = withCheckpoint();
        script.on(new JobEvent.AgentLost(B));
        script.on(new JobEvent.JobExited(epoch(1), 1));
        assertThat(script.phase()).isEqualTo(JobPhase.PLANNING);
        script.on(new JobEvent.JobExited(epoch(1), 0));
        assertThat(script.phase()).isEqualTo(JobPhase.ENDING);
    }

    @Test
    void newsOfAnOlderEpochAreIgnored() {
        JobScript script = restarting();
        script.leadTo(Step.THAW);
        script.doneByAll();
        script.on(new JobEvent.JobExited(epoch(1), 0));
        script.on(new JobEvent.VmLost(B, epoch(1), new VmId(2), "killed"));
        assertThat(script.phase()).isEqualTo(JobPhase.RUNNING);
    }

    @Test
    void planMustBeOfTheJobAndHaveItsVms() {
        JobScript script = withCheckpoint();
        script.on(new JobEvent.AgentLost(B));
        CheckpointId other = new CheckpointId(new JobId("other"), 1);
        Placement smaller = new Placement(new TreeMap<>(Map.of(A, new TreeSet<>(List.of(new VmId(0))))));
        assertThatThrownBy(() -> script.on(new JobEvent.RestartPlanned(other, placement(A, C))))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> script.on(new JobEvent.RestartPlanned(checkpoint(1), smaller)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(JOB.value());
    }
}
