package org.stillcut.protocol.coordinator;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.stillcut.protocol.coordinator.JobScript.A;
import static org.stillcut.protocol.coordinator.JobScript.B;
import static org.stillcut.protocol.coordinator.JobScript.C;
import static org.stillcut.protocol.coordinator.JobScript.checkpoint;
import static org.stillcut.protocol.coordinator.JobScript.checkpointingAt;
import static org.stillcut.protocol.coordinator.JobScript.committing;
import static org.stillcut.protocol.coordinator.JobScript.epoch;
import static org.stillcut.protocol.coordinator.JobScript.running;
import static org.stillcut.protocol.coordinator.JobScript.sent;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointRefused;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointSettled;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointStarted;
import org.stillcut.protocol.coordinator.JobEffect.Outcome;
import org.stillcut.protocol.coordinator.JobEffect.PlanRestart;
import org.stillcut.protocol.coordinator.JobEffect.Refusal;
import org.stillcut.protocol.coordinator.JobEffect.WriteCommit;
import org.stillcut.protocol.coordinator.JobRecord.CheckpointAborted;
import org.stillcut.protocol.coordinator.JobRecord.CheckpointBegun;
import org.stillcut.protocol.coordinator.JobRecord.CheckpointCommitted;
import org.stillcut.protocol.coordinator.JobRecord.JobEnded;
import org.stillcut.protocol.traffic.Round;

class CheckpointTest {
    @Test
    void jobStartsInTwoBarriers() {
        JobScript script = JobScript.created();
        assertThat(script.log()).hasSize(1);
        script.done(A);
        Transition booted = script.done(B);
        assertThat(booted.persistFirst()).containsExactly(new JobRecord.VmsReady(1));
        assertThat(sent(booted)).containsExactly(entry(A, Step.START));
        assertThat(script.done(A).next().phase()).isEqualTo(JobPhase.RUNNING);
    }

    @Test
    void checkpointIsRecordedBeforeItsFirstCommand() {
        Transition begun = running().on(new JobEvent.CheckpointRequested());
        assertThat(begun.persistFirst()).containsExactly(new CheckpointBegun(checkpoint(1)));
        assertThat(begun.effects()).contains(new CheckpointStarted(checkpoint(1)));
        assertThat(sent(begun)).containsExactly(entry(A, Step.PREPARE), entry(B, Step.PREPARE));
    }

    @Test
    void undisturbedCheckpointGoesThroughAllStepsAndIsCommitted() {
        JobScript script = running();
        script.on(new JobEvent.CheckpointRequested());
        List<Step> steps = new ArrayList<>();
        while (script.phase() == JobPhase.CHECKPOINTING) {
            steps.add(script.barrier().step());
            script.doneByAll();
        }
        assertThat(steps).isEqualTo(Step.CHECKPOINT_ORDER);
        assertThat(script.phase()).isEqualTo(JobPhase.COMMITTING);
        Transition committed = script.commit();
        assertThat(committed.persistFirst()).containsExactly(new CheckpointCommitted(checkpoint(1)));
        assertThat(committed.effects()).contains(new CheckpointSettled(checkpoint(1), new Outcome.Committed()));
        assertThat(script.phase()).isEqualTo(JobPhase.RUNNING);
        assertThat(script.state().job().committed()).contains(checkpoint(1));
    }

    @Test
    void commitNamesTheSnapshotOfEveryVm() {
        JobScript script = checkpointingAt(Step.PERSIST);
        script.done(A);
        Transition last = script.done(B);
        assertThat(last.effects())
                .contains(new WriteCommit(
                        checkpoint(1),
                        new TreeMap<>(Map.of(
                                new VmId(0), new SnapshotRef("of-vm0"),
                                new VmId(1), new SnapshotRef("of-vm1"),
                                new VmId(2), new SnapshotRef("of-vm2")))));
    }

    @ParameterizedTest
    @EnumSource(names = {"QUIESCE", "FREEZE", "PAUSE"})
    void watchStandsBetweenTheStepAndTheNext(Step step) {
        JobScript script = checkpointingAt(step);
        script.done(A);
        Transition watching = script.done(B);
        assertThat(sent(watching)).isEmpty();
        assertThat(watching.effects()).anyMatch(JobEffect.WatchTraffic.class::isInstance);
        assertThat(script.deadline().next()).isEqualTo(watching.next());
        Step next = step.nextOfCheckpoint().orElseThrow();
        assertThat(sent(script.watched(Optional.empty()))).containsExactly(entry(A, next), entry(B, next));
    }

    @ParameterizedTest
    @EnumSource(names = {"QUIESCE", "FREEZE", "PAUSE"})
    void refusedTrafficAbortsTheCheckpoint(Step step) {
        JobScript script = checkpointingAt(step);
        script.done(A);
        script.done(B);
        script.watched(Optional.of("7 bytes on the wire"));
        assertThat(script.phase()).isEqualTo(JobPhase.ABORTING);
        assertThat(script.state().describe()).contains("7 bytes on the wire");
    }

    @Test
    void watchBeginsWithWhatAllHaveShown() {
        JobScript script = checkpointingAt(Step.FREEZE);
        SortedMap<VmId, VmTraffic> ofA =
                looks(script.barrier().job().placement().vmsOf(A));
        SortedMap<VmId, VmTraffic> ofB =
                looks(script.barrier().job().placement().vmsOf(B));
        script.done(A, ofA);
        TreeMap<VmId, VmTraffic> all = new TreeMap<>(ofA);
        all.putAll(ofB);
        assertThat(firstRound(script.done(B, ofB))).contains(new Round(all));
    }

    @Test
    void watchBeginsWithNothingWhenAnAgentShowsAnothersVms() {
        JobScript script = checkpointingAt(Step.FREEZE);
        script.done(A, looks(script.barrier().job().placement().vms()));
        assertThat(firstRound(script.done(B, new TreeMap<>()))).isEmpty();
    }

    @Test
    void whatOneStepShowsIsNotKeptForTheNext() {
        JobScript script = checkpointingAt(Step.QUIESCE);
        script.done(A, looks(script.barrier().job().placement().vmsOf(A)));
        script.done(B, looks(script.barrier().job().placement().vmsOf(B)));
        script.watched(Optional.empty());
        script.done(A);
        assertThat(firstRound(script.done(B))).isEmpty();
    }

    private static Optional<Round> firstRound(Transition watching) {
        return watching.effects().stream()
                .filter(JobEffect.WatchTraffic.class::isInstance)
                .map(effect -> ((JobEffect.WatchTraffic) effect).first())
                .findFirst()
                .orElseThrow();
    }

    private static SortedMap<VmId, VmTraffic> looks(Set<VmId> vms) {
        SortedMap<VmId, VmTraffic> looks = new TreeMap<>();
        vms.forEach(vm -> looks.put(vm, new VmTraffic(vm, 1, true, true, false, 1, 0, 0, 7, List.of(), List.of(), 42)));
        return looks;
    }

    @Test
    void watchThatEndsLateIsIgnored() {
        JobScript script = checkpointingAt(Step.QUIESCE);
        script.done(A);
        script.done(B);
        long token = script.state().job().deadlineToken();
        script.watched(Optional.empty());
        script.done(A);
        script.done(B);
        JobState verifying = script.state();
        assertThat(script.on(new JobEvent.Watched(token, Optional.empty())).next())
                .isEqualTo(verifying);
    }

    @ParameterizedTest
    @EnumSource(names = {"PREPARE", "QUIESCE", "FREEZE", "PAUSE", "CAPTURE", "RESUME", "PERSIST"})
    void lostParticipantAbortsTheCheckpointAtEveryStep(Step step) {
        JobScript script = checkpointingAt(step);
        script.done(A);
        Transition lost = script.on(new JobEvent.AgentLost(B));
        CheckpointFailure failure = new CheckpointFailure.AgentLost(B);
        assertThat(lost.persistFirst()).containsExactly(new CheckpointAborted(checkpoint(1), failure));
        assertThat(lost.effects()).contains(new CheckpointSettled(checkpoint(1), new Outcome.Aborted(failure)));
        assertThat(lost.effects()).anyMatch(PlanRestart.class::isInstance);
        assertThat(lost.effects()).noneMatch(WriteCommit.class::isInstance);
        assertThat(script.phase()).isEqualTo(JobPhase.PLANNING);
    }

    @ParameterizedTest
    @EnumSource(names = {"PREPARE", "QUIESCE", "FREEZE", "PAUSE", "CAPTURE", "RESUME", "PERSIST"})
    void failedStepIsUndoneEverywhereAndTheJobGoesOn(Step step) {
        JobScript script = checkpointingAt(step);
        script.done(A);
        Transition failed = script.failed(B, "no luck");
        assertThat(sent(failed)).containsExactly(entry(A, Step.ABORT), entry(B, Step.ABORT));
        script.done(B);
        assertThat(script.phase()).isEqualTo(JobPhase.ABORTING);
        script.done(A);
        assertThat(script.phase()).isEqualTo(JobPhase.RUNNING);
        assertThat(script.on(new JobEvent.CheckpointRequested()).effects())
                .contains(new CheckpointStarted(checkpoint(2)));
    }

    @ParameterizedTest
    @EnumSource(names = {"PREPARE", "QUIESCE", "FREEZE", "PAUSE", "CAPTURE", "RESUME", "PERSIST"})
    void passedDeadlineNamesWhoWasMissing(Step step) {
        JobScript script = checkpointingAt(step);
        script.done(A);
        assertThat(script.deadline().persistFirst())
                .containsExactly(new CheckpointAborted(
                        checkpoint(1), new CheckpointFailure.DeadlinePassed(step, new TreeSet<>(List.of(B)))));
    }

    @Test
    void staleDeadlineIsIgnored() {
        JobScript script = checkpointingAt(Step.PREPARE);
        long token = script.state().job().deadlineToken();
        script.leadTo(Step.FREEZE);
        JobState before = script.state();
        Transition stale = script.on(new JobEvent.DeadlinePassed(token));
        assertThat(stale).isEqualTo(Transition.to(before));
    }

    @Test
    void answerToAnotherStepDoesNotCount() {
        JobScript script = checkpointingAt(Step.PREPARE);
        CommandKey prepare = CommandKey.of(epoch(1), Step.PREPARE, checkpoint(1));
        script.leadTo(Step.FREEZE);
        script.on(new JobEvent.Reported(new Report.Done(A, prepare)));
        script.on(new JobEvent.Reported(new Report.Done(B, prepare)));
        assertThat(script.barrier().awaited()).containsExactly(A, B);
    }

    @Test
    void agentThatPersistsTooLittleAbortsTheCheckpoint() {
        JobScript script = checkpointingAt(Step.PERSIST);
        CommandKey key = CommandKey.of(epoch(1), Step.PERSIST, checkpoint(1));
        script.on(new JobEvent.Reported(
                new Report.Done(A, key, new TreeMap<>(Map.of(new VmId(0), new SnapshotRef("s"))))));
        assertThat(script.phase()).isEqualTo(JobPhase.ABORTING);
    }

    @Test
    void agentThatComesBackIsSentTheStepAgainIfItIsAwaited() {
        JobScript script = checkpointingAt(Step.FREEZE);
        script.done(A);
        assertThat(sent(script.connected(B, 1))).containsExactly(entry(B, Step.FREEZE));
        assertThat(sent(script.connected(A, 1))).isEmpty();
    }

    @Test
    void agentThatComesBackWithoutItsVmsIsALoss() {
        JobScript script = checkpointingAt(Step.FREEZE);
        script.connected(B);
        assertThat(script.phase()).isEqualTo(JobPhase.PLANNING);
    }

    @Test
    void strangerIsNoLoss() {
        JobScript script = checkpointingAt(Step.FREEZE);
        script.on(new JobEvent.AgentLost(C));
        assertThat(script.phase()).isEqualTo(JobPhase.CHECKPOINTING);
    }

    @Test
    void requestsAreRefusedWithTheirReason() {
        assertThat(JobScript.created().on(new JobEvent.CheckpointRequested()).effects())
                .containsExactly(new CheckpointRefused(Refusal.JOB_NOT_RUNNING));
        assertThat(committing().on(new JobEvent.CheckpointRequested()).effects())
                .containsExactly(new CheckpointRefused(Refusal.BUSY));
        JobScript ended = running();
        ended.on(new JobEvent.JobExited(epoch(1), 0));
        assertThat(ended.on(new JobEvent.CheckpointRequested()).effects())
                .containsExactly(new CheckpointRefused(Refusal.JOB_OVER));
    }

    @Test
    void exitDuringACheckpointAbortsItAndEndsTheJob() {
        JobScript script = checkpointingAt(Step.CAPTURE);
        Transition exited = script.on(new JobEvent.JobExited(epoch(1), 3));
        assertThat(exited.persistFirst())
                .containsExactly(
                        new CheckpointAborted(checkpoint(1), new CheckpointFailure.JobEnded()),
                        new JobEnded(new JobExit.Exited(3)));
        assertThat(sent(exited)).containsExactly(entry(A, Step.DESTROY), entry(B, Step.DESTROY));
        script.doneByAll();
        assertThat(script.state()).isInstanceOf(JobState.Ended.class);
    }

    @Test
    void rejectedCommitIsUndone() {
        JobScript script = committing();
        script.on(new JobEvent.CommitRejected(checkpoint(1), "no room"));
        assertThat(script.phase()).isEqualTo(JobPhase.ABORTING);
    }

    @Test
    void lossDuringTheCommitWaitsForItsOutcome() {
        JobScript script = committing();
        script.on(new JobEvent.AgentLost(B));
        assertThat(script.phase()).isEqualTo(JobPhase.COMMITTING);
        Transition committed = script.commit();
        assertThat(script.phase()).isEqualTo(JobPhase.PLANNING);
        assertThat(committed.effects())
                .filteredOn(PlanRestart.class::isInstance)
                .singleElement()
                .extracting(effect -> ((PlanRestart) effect).job().committed())
                .isEqualTo(Optional.of(checkpoint(1)));
    }

    @Test
    void endDuringTheCommitIsOnRecordAtOnce() {
        JobScript script = committing();
        assertThat(script.on(new JobEvent.StopRequested("enough")).persistFirst())
                .containsExactly(new JobEnded(new JobExit.Cancelled("enough")));
        script.crash();
        assertThat(script.phase()).isEqualTo(JobPhase.ENDING);
    }

    @Test
    void agentThatCannotUndoACheckpointCostsARestart() {
        JobScript script = checkpointingAt(Step.CAPTURE);
        script.failed(A, "no luck");
        script.failed(B, "QEMU does not answer");
        assertThat(script.phase()).isEqualTo(JobPhase.PLANNING);
        assertThat(script.state().job().fence().doubtful()).containsExactly(B);
    }
}
