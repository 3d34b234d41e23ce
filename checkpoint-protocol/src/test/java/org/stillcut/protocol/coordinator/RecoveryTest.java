package org.stillcut.protocol.coordinator;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.stillcut.protocol.coordinator.JobScript.A;
import static org.stillcut.protocol.coordinator.JobScript.B;
import static org.stillcut.protocol.coordinator.JobScript.C;
import static org.stillcut.protocol.coordinator.JobScript.checkpoint;
import static org.stillcut.protocol.coordinator.JobScript.checkpointingAt;
import static org.stillcut.protocol.coordinator.JobScript.committing;
import static org.stillcut.protocol.coordinator.JobScript.epoch;
import static org.stillcut.protocol.coordinator.JobScript.restarting;
import static org.stillcut.protocol.coordinator.JobScript.sent;
import static org.stillcut.protocol.coordinator.JobScript.withCheckpoint;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointSettled;
import org.stillcut.protocol.coordinator.JobEffect.Outcome;
import org.stillcut.protocol.coordinator.JobRecord.CheckpointAborted;
import org.stillcut.protocol.coordinator.JobRecord.CheckpointBegun;

class RecoveryTest {
    @ParameterizedTest
    @EnumSource(names = {"PREPARE", "QUIESCE", "FREEZE", "PAUSE", "CAPTURE", "RESUME", "PERSIST"})
    void checkpointInProgressIsUndoneEverywhere(Step step) {
        JobScript script = checkpointingAt(step);
        script.done(A);
        Transition recovered = script.crash();
        assertThat(sent(recovered)).containsExactly(entry(A, Step.ABORT), entry(B, Step.ABORT));
        CheckpointFailure failure = new CheckpointFailure.CoordinatorRestarted();
        assertThat(recovered.persistFirst()).containsExactly(new CheckpointAborted(checkpoint(1), failure));
        script.connected(A, 1);
        assertThat(sent(script.connected(B, 1))).containsExactly(entry(B, Step.ABORT));
        script.doneByAll();
        assertThat(script.phase()).isEqualTo(JobPhase.RUNNING);
    }

    @Test
    void commitRecordInTheRepositoryIsTheTruth() {
        Transition recovered = committing().crashWithCommit();
        assertThat(recovered.effects()).contains(new CheckpointSettled(checkpoint(1), new Outcome.Committed()));
        assertThat(recovered.effects()).noneMatch(effect -> effect.toString().contains("ABORT"));
        assertThat(recovered.next().job().committed()).contains(checkpoint(1));
        assertThat(recovered.next().job().lastSequence()).isEqualTo(1);
    }

    /** Found by the simulation: a job stopped during a commit that the coordinator did not live to see. */
    @Test
    void checkpointOfAJobThatEndedDuringTheCommitIsSettled() {
        JobScript script = committing();
        script.on(new JobEvent.StopRequested("enough"));
        CheckpointFailure failure = new CheckpointFailure.CoordinatorRestarted();
        assertThat(script.crash().persistFirst()).containsExactly(new CheckpointAborted(checkpoint(1), failure));
        assertThat(script.phase()).isEqualTo(JobPhase.ENDING);
        assertThat(script.crash().persistFirst()).isEmpty();
    }

    @Test
    void commitThatDidNotReachTheRepositoryIsAborted() {
        JobScript script = committing();
        script.crash();
        assertThat(script.phase()).isEqualTo(JobPhase.ABORTING);
        assertThat(script.state().job().committed()).isEmpty();
    }

    @Test
    void abortIsDrivenAgainAlsoWhenItWasOnRecord() {
        JobScript script = checkpointingAt(Step.CAPTURE);
        script.failed(A, "no luck");
        Transition recovered = script.crash();
        assertThat(sent(recovered)).containsExactly(entry(A, Step.ABORT), entry(B, Step.ABORT));
        assertThat(((JobState.Aborting) recovered.next()).failure())
                .isEqualTo(new CheckpointFailure.StepFailed(A, Step.CAPTURE, "no luck"));
    }

    @Test
    void bootIsDrivenAgainAndAnAgentWithoutVmsBootsThem() {
        JobScript script = JobScript.created();
        script.done(A);
        assertThat(sent(script.crash())).containsExactly(entry(A, Step.BOOT), entry(B, Step.BOOT));
        assertThat(sent(script.connected(B))).containsExactly(entry(B, Step.BOOT));
    }

    @Test
    void vmsThatWereSetGoingAreNotBootedAgain() {
        JobScript script = JobScript.running();
        assertThat(sent(script.crash())).containsExactly(entry(A, Step.START));
        script.connected(B);
        assertThat(script.phase()).isEqualTo(JobPhase.PLANNING);
    }

    @ParameterizedTest
    @EnumSource(names = {"DESTROY", "RESTORE"})
    void restartBegunIsDrivenFromItsStart(Step step) {
        JobScript script = restarting();
        script.leadTo(step);
        script.crash();
        assertThat(script.barrier().step()).isEqualTo(Step.DESTROY);
        assertThat(script.state().job().incarnation()).isEqualTo(epoch(2));
        // What the agents hold tells what is left to destroy.
        script.connected(A, 2);
        script.on(new JobEvent.AgentLost(B));
        assertThat(script.barrier().step()).isEqualTo(Step.RESTORE);
    }

    @Test
    void restartWithAllVmsLoadedIsDrivenFromRun() {
        JobScript script = restarting();
        script.leadTo(Step.RUN);
        assertThat(sent(script.crash())).containsExactly(entry(A, Step.RUN), entry(C, Step.RUN));
    }

    @Test
    void restartWithItsCutConfirmedIsDrivenFromThaw() {
        JobScript script = restarting();
        script.leadTo(Step.THAW);
        assertThat(sent(script.crash())).containsExactly(entry(A, Step.THAW), entry(C, Step.THAW));
        script.doneByAll();
        assertThat(sent(script.crash())).containsExactly(entry(A, Step.THAW), entry(C, Step.THAW));
    }

    @Test
    void lostAndEndedJobsStaySo() {
        JobScript lost = withCheckpoint();
        lost.on(new JobEvent.AgentLost(B));
        lost.on(new JobEvent.RestartImpossible("no node is free"));
        lost.crash();
        assertThat(lost.phase()).isEqualTo(JobPhase.LOST);
        assertThat(lost.state().describe()).contains("no node is free");

        JobScript ended = withCheckpoint();
        ended.on(new JobEvent.StopRequested("enough"));
        ended.crash();
        assertThat(ended.phase()).isEqualTo(JobPhase.ENDING);
        ended.doneByAll();
        ended.crash();
        assertThat(ended.state()).isInstanceOf(JobState.Ended.class);
    }

    @Test
    void restartsLeftAreCountedFromTheRecords() {
        JobScript script = restarting();
        script.leadTo(Step.THAW);
        script.doneByAll();
        RestartBudget before = script.state().job().budget();
        script.crash();
        assertThat(script.state().job().budget()).isEqualTo(before).isEqualTo(new RestartBudget(1, 2));
    }

    @Test
    void prunedRepositoryIsBelieved() {
        JobScript script = withCheckpoint();
        JobState state = CoordinatorProtocol.recover(script.log(), Optional.empty());
        assertThat(state.job().committed()).isEmpty();
        assertThat(state.job().lastSequence()).isEqualTo(1);
    }

    @Test
    void recordsOutOfOrderAreRejected() {
        assertThatThrownBy(() -> CoordinatorProtocol.recover(List.of(), Optional.empty()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() ->
                        CoordinatorProtocol.recover(List.of(new CheckpointBegun(checkpoint(1))), Optional.empty()))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
