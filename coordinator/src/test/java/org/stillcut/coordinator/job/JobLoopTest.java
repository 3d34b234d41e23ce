package org.stillcut.coordinator.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.coordinator.Eventually;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.catalog.SampleJob;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.JobExit;
import org.stillcut.protocol.coordinator.JobPhase;
import org.stillcut.protocol.coordinator.JobRecord;
import org.stillcut.protocol.coordinator.JobState;

@Timeout(120)
class JobLoopTest {
    private static final CheckpointId FIRST = new CheckpointId(PlayedJob.ID, 1);

    @TempDir
    private Path directory;

    private final JobDescription description = SampleJob.ofVms(2).description();

    private static Throwable failureOf(CompletableFuture<CheckpointId> request) {
        try {
            return new AssertionError("succeeded with " + request.get(30, TimeUnit.SECONDS));
        } catch (ExecutionException e) {
            return Objects.requireNonNull(e.getCause());
        } catch (Exception e) {
            return e;
        }
    }

    @Test
    void jobBootsStartsAndRuns() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            assertThat(job.shell().log())
                    .containsExactly(
                            "a: BOOT solver-0001#1 [vm0]",
                            "b: BOOT solver-0001#1 [vm1]",
                            "record VmsReady",
                            "a: START solver-0001#1 [vm0]");
            assertThat(job.shell().timersSet()).as("deadlines left").isZero();
            assertThat(job.loop().holdsResources()).isTrue();
        }
    }

    @Test
    void checkpointGoesThroughItsStepsAndIsCommitted() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            CompletableFuture<CheckpointId> request = job.loop().requestCheckpoint();
            job.answerCheckpoint();
            assertThat(request.get(30, TimeUnit.SECONDS)).isEqualTo(FIRST);
            assertThat(job.shell().repository().keySet()).containsExactly(FIRST);
            assertThat(job.shell().repository().get(FIRST)).isNotEqualTo(StageTimes.NONE);
            assertThat(job.shell().records())
                    .endsWith(new JobRecord.CheckpointBegun(FIRST), new JobRecord.CheckpointCommitted(FIRST));
            assertThat(job.timeline()).anyMatch(text -> text.matches("checkpoint 1 is committed; pause [0-9]+ ms"));
            assertThat(job.loop().state().job().committed()).contains(FIRST);
            assertThat(job.shell().timersSet()).as("deadlines left").isZero();
        }
    }

    @Test
    void decisionIsOnRecordBeforeAnybodyIsToldOfIt() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            var ignored = job.loop().requestCheckpoint();
            job.awaitCommands(Step.PREPARE, PlayedJob.A, PlayedJob.B);
            List<String> log = job.shell().log();
            assertThat(log.indexOf("record CheckpointBegun"))
                    .isLessThan(log.indexOf("a: PREPARE solver-0001#1 solver-0001@1 [vm0]"))
                    .isPositive();
        }
    }

    @Test
    void failedStepUndoesTheCheckpointAndTheJobGoesOn() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            CompletableFuture<CheckpointId> request = job.loop().requestCheckpoint();
            job.answer(Step.PREPARE, PlayedJob.A, PlayedJob.B);
            var freeze = job.awaitCommands(Step.QUIESCE, PlayedJob.A, PlayedJob.B);
            CommandKey key = freeze.getFirst().command().key();
            job.loop()
                    .post(new JobEvent.Reported(new Report.Failed(
                            PlayedJob.B,
                            key,
                            new CheckpointFailure.StepFailed(PlayedJob.B, Step.QUIESCE, "a rank will not stop"))));
            assertThat(failureOf(request))
                    .isInstanceOf(CheckpointAbortedException.class)
                    .hasMessage("QUIESCE failed on node b: a rank will not stop");
            job.answer(Step.ABORT, PlayedJob.A, PlayedJob.B);
            job.awaitPhase(JobPhase.RUNNING);
            assertThat(job.shell().repository()).isEmpty();
            assertThat(job.timeline()).contains("checkpoint 1 failed: QUIESCE failed on node b: a rank will not stop");
            CompletableFuture<CheckpointId> second = job.loop().requestCheckpoint();
            job.answerCheckpoint();
            assertThat(second.get(30, TimeUnit.SECONDS)).isEqualTo(new CheckpointId(PlayedJob.ID, 2));
        }
    }

    @Test
    void stepThatIsNotAnsweredInTimeIsUndone() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            CompletableFuture<CheckpointId> request = job.loop().requestCheckpoint();
            job.answer(Step.PREPARE, PlayedJob.A, PlayedJob.B);
            job.awaitCommands(Step.QUIESCE, PlayedJob.A, PlayedJob.B);
            job.shell().pass(StepDeadlines.of(Step.QUIESCE));
            assertThat(failureOf(request))
                    .isInstanceOf(CheckpointAbortedException.class)
                    .hasMessageContaining("no answer to QUIESCE in time from a, b");
            job.answer(Step.ABORT, PlayedJob.A, PlayedJob.B);
            job.awaitPhase(JobPhase.RUNNING);
        }
    }

    @Test
    void rejectedCommitUndoesTheCheckpoint() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            job.shell().failCommits("the repository is read-only");
            CompletableFuture<CheckpointId> request = job.loop().requestCheckpoint();
            job.answerCheckpoint();
            assertThat(failureOf(request))
                    .isInstanceOf(CheckpointAbortedException.class)
                    .hasMessageContaining("the repository is read-only");
            job.answer(Step.ABORT, PlayedJob.A, PlayedJob.B);
            job.awaitPhase(JobPhase.RUNNING);
            assertThat(job.loop().state().job().committed()).isEmpty();
        }
    }

    @Test
    void secondRequestIsRefusedWhileACheckpointIsInProgress() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            CompletableFuture<CheckpointId> first = job.loop().requestCheckpoint();
            CompletableFuture<CheckpointId> second = job.loop().requestCheckpoint();
            assertThat(failureOf(second))
                    .isInstanceOf(CheckpointRefusedException.class)
                    .hasMessage("a checkpoint of solver-0001 is in progress");
            job.answerCheckpoint();
            assertThat(first.get(30, TimeUnit.SECONDS)).isEqualTo(FIRST);
        }
    }

    @Test
    void requestIsRefusedBeforeTheJobRunsAndAfterItHasEnded() throws Exception {
        try (PlayedJob job = PlayedJob.created(description, directory)) {
            assertThat(failureOf(job.loop().requestCheckpoint()))
                    .isInstanceOf(CheckpointRefusedException.class)
                    .hasMessageContaining("starting");
            job.answer(Step.BOOT, PlayedJob.A, PlayedJob.B);
            job.answer(Step.START, PlayedJob.A);
            job.loop().post(new JobEvent.JobExited(job.incarnation(), 3));
            job.answer(Step.DESTROY, PlayedJob.A, PlayedJob.B);
            job.awaitPhase(JobPhase.ENDED);
            assertThat(failureOf(job.loop().requestCheckpoint()))
                    .isInstanceOf(CheckpointRefusedException.class)
                    .hasMessage("job solver-0001 exited with status 3");
            assertThat(job.loop().holdsResources()).isFalse();
            assertThat(job.shell().records())
                    .endsWith(new JobRecord.JobEnded(new JobExit.Exited(3)), new JobRecord.JobClosed());
        }
    }

    @Test
    void lostNodeBringsTheJobBackFromTheNewestCheckpointElsewhere() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            job.shell().addCheckpoint(FIRST);
            job.shell().addCheckpoint(new CheckpointId(PlayedJob.ID, 2));
            job.loop().post(new JobEvent.AgentLost(PlayedJob.B));
            job.answer(Step.DESTROY, PlayedJob.A);
            var restore = job.awaitCommands(Step.RESTORE, PlayedJob.A, PlayedJob.C);
            assertThat(restore.getFirst().command().checkpoint()).contains(new CheckpointId(PlayedJob.ID, 2));
            assertThat(restore.getFirst().command().incarnation().epoch()).isEqualTo(2);
            restore.forEach(sent -> job.loop()
                    .post(new JobEvent.Reported(
                            new Report.Done(sent.agent(), sent.command().key()))));
            job.answer(Step.RUN, PlayedJob.A, PlayedJob.C);
            job.answer(Step.THAW, PlayedJob.A, PlayedJob.C);
            job.awaitPhase(JobPhase.RUNNING);
            assertThat(job.incarnation().epoch()).isEqualTo(2);
        }
    }

    @Test
    void jobWithoutACheckpointIsLostWithItsNode() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            job.loop().post(new JobEvent.VmLost(PlayedJob.B, job.incarnation(), new VmId(1), "QEMU was killed"));
            job.awaitPhase(JobPhase.LOST);
            assertThat(job.loop().state())
                    .isInstanceOfSatisfying(
                            JobState.Lost.class,
                            lost -> assertThat(lost.reason())
                                    .isEqualTo("vm1 on node b was lost: QEMU was killed, and there is no checkpoint"));
            assertThat(job.loop().holdsResources()).isFalse();
        }
    }

    private static void awaitWaiting(PlayedJob job) throws Exception {
        Eventually.see(
                "waiting for room",
                job::timeline,
                lines -> lines.stream().anyMatch(line -> line.startsWith("waiting for room to restart: no room")));
    }

    @Test
    void jobThatFitsNowhereForTooLongIsLost() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            job.shell().addCheckpoint(FIRST);
            job.shell().roomOn();
            job.loop().post(new JobEvent.AgentLost(PlayedJob.B));
            awaitWaiting(job);
            Eventually.see("the end of the patience", job.loop()::state, state -> {
                job.shell().pass(Duration.ofSeconds(10));
                return state.phase() == JobPhase.LOST;
            });
            assertThat(job.loop().state().describe()).contains("node b was lost, and no room for 2 VMs");
        }
    }

    @Test
    void jobWaitsForANodeThatComesBack() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            job.shell().addCheckpoint(FIRST);
            job.shell().roomOn();
            job.loop().post(new JobEvent.AgentLost(PlayedJob.B));
            awaitWaiting(job);
            job.shell().roomOn(PlayedJob.room(PlayedJob.A), PlayedJob.room(PlayedJob.B));
            job.loop().post(new JobEvent.AgentConnected(PlayedJob.B, new TreeSet<>()));
            Eventually.see("the next attempt", job.loop()::state, state -> {
                job.shell().pass(Duration.ofSeconds(1));
                return state.phase() == JobPhase.RESTARTING;
            });
            job.answer(Step.DESTROY, PlayedJob.A, PlayedJob.B);
            job.awaitCommands(Step.RESTORE, PlayedJob.A, PlayedJob.B);
        }
    }

    @Test
    void restartWalksBackFromACheckpointThatIsDamaged() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            job.shell().addCheckpoint(FIRST);
            job.shell().addCheckpoint(new CheckpointId(PlayedJob.ID, 2));
            job.loop().post(new JobEvent.AgentLost(PlayedJob.B));
            job.answer(Step.DESTROY, PlayedJob.A);
            var restore =
                    job.awaitCommands(Step.RESTORE, PlayedJob.A, PlayedJob.C).getFirst();
            job.loop()
                    .post(new JobEvent.Reported(new Report.Failed(
                            restore.agent(),
                            restore.command().key(),
                            new CheckpointFailure.SnapshotDamaged(restore.agent(), "bad checksum"))));
            job.answer(Step.DESTROY, PlayedJob.A, PlayedJob.C);
            var again =
                    job.awaitCommands(Step.RESTORE, PlayedJob.A, PlayedJob.C).getFirst();
            assertThat(again.command().checkpoint()).contains(FIRST);
        }
    }

    @Test
    void agentThatReturnsIsSentItsCommandAgain() throws Exception {
        try (PlayedJob job = PlayedJob.created(description, directory)) {
            job.awaitCommands(Step.BOOT, PlayedJob.A, PlayedJob.B);
            job.loop().post(new JobEvent.AgentConnected(PlayedJob.B, new TreeSet<>()));
            assertThat(job.awaitCommands(Step.BOOT, PlayedJob.B)).hasSize(1);
        }
    }

    @Test
    void bootThatNeverEndsIsGivenUp() throws Exception {
        try (PlayedJob job = PlayedJob.created(description, directory)) {
            job.awaitCommands(Step.BOOT, PlayedJob.A, PlayedJob.B);
            job.shell().pass(StepDeadlines.of(Step.BOOT));
            job.answer(Step.DESTROY, PlayedJob.A, PlayedJob.B);
            job.awaitPhase(JobPhase.ENDED);
            assertThat(job.loop().state().describe())
                    .isEqualTo("could not be started: no answer to BOOT in time from a, b");
        }
    }

    @Test
    void requestOfAnEndedJobIsAnsweredToo() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            CompletableFuture<CheckpointId> request = job.loop().requestCheckpoint();
            job.awaitCommands(Step.PREPARE, PlayedJob.A, PlayedJob.B);
            job.loop().post(new JobEvent.StopRequested("by its user"));
            assertThat(failureOf(request))
                    .isInstanceOf(CheckpointAbortedException.class)
                    .hasMessage("the job ended first");
        }
    }

    @Test
    void nothingIsDoneThatCannotBeRecorded() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            job.shell().failRecords(new IllegalStateException("the disk is gone"));
            var ignored = job.loop().requestCheckpoint();
            job.loop().post(new JobEvent.StopRequested("by its user"));
            Eventually.see(
                    "the end", () -> job.shell().log().getLast(), "give up solver-0001: the disk is gone"::equals);
            assertThat(job.shell().takeCommands()).isEmpty();
            assertThat(job.loop().state().phase()).isEqualTo(JobPhase.RUNNING);
        }
    }

    @Test
    void floodOfEventsIsRefusedInsteadOfFillingTheMemory() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            job.loop().close();
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 20_000; i++) {
                            job.loop().post(new JobEvent.AgentLost(PlayedJob.C));
                        }
                    })
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("events are waiting");
        }
    }

    @Test
    void watchersAreWokenByEachEvent() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            long seen = job.loop().changes().version();
            job.loop().post(new JobEvent.AgentLost(PlayedJob.C));
            Eventually.see("a change", () -> job.loop().changes().version(), version -> version > seen);
        }
    }

    @Test
    void everyStepHasADeadlineAndThoseThatDisturbTheJobTheShortest() {
        for (Step step : Step.values()) {
            assertThat(StepDeadlines.of(step)).as(step.name()).isPositive();
            if (step.disturbsJob()) {
                assertThat(StepDeadlines.of(step)).as(step.name()).isLessThanOrEqualTo(Duration.ofSeconds(30));
            }
        }
    }

    @Test
    void deadlinesOfStepsThatMoveWholeImagesGrowWithThem() {
        long terabyte = 1L << 40;
        for (Step step : List.of(Step.PREPARE, Step.PERSIST, Step.RESTORE)) {
            assertThat(StepDeadlines.of(step, 0, 0)).isEqualTo(StepDeadlines.of(step));
            assertThat(StepDeadlines.of(step, terabyte, terabyte)).isGreaterThan(Duration.ofHours(10));
        }
        assertThat(StepDeadlines.of(Step.CAPTURE, terabyte, 0)).isGreaterThan(Duration.ofMinutes(30));
        assertThat(StepDeadlines.of(Step.PAUSE, terabyte, terabyte)).isEqualTo(StepDeadlines.of(Step.PAUSE));
    }
}
