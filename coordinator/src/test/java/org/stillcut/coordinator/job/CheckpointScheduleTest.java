package org.stillcut.coordinator.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.coordinator.Eventually;
import org.stillcut.coordinator.catalog.CheckpointPolicy;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.catalog.SampleJob;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.JobPhase;

@Timeout(120)
class CheckpointScheduleTest {
    private static final Duration INTERVAL = Duration.ofMinutes(10);

    @TempDir
    private Path directory;

    private final JobDescription description =
            SampleJob.ofVms(2).every(INTERVAL).description();

    private static List<Long> committed(PlayedJob job) {
        return job.shell().repository().keySet().stream()
                .map(CheckpointId::sequence)
                .toList();
    }

    @Test
    void checkpointIsTakenAfterEachInterval() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            job.shell().pass(INTERVAL.minusMillis(1));
            assertThat(job.shell().takeCommands()).isEmpty();
            job.shell().pass(Duration.ofMillis(1));
            job.answerCheckpoint();
            job.awaitPhase(JobPhase.RUNNING);
            job.shell().pass(INTERVAL);
            job.answerCheckpoint();
            Eventually.see("two checkpoints", () -> committed(job), List.of(1L, 2L)::equals);
        }
    }

    @Test
    void noneIsTakenWithoutAnInterval() throws Exception {
        try (PlayedJob job = PlayedJob.running(SampleJob.ofVms(2).description(), directory)) {
            assertThat(job.shell().timersSet()).isZero();
        }
    }

    @Test
    void checkpointThatFallsDueWhileOneIsInProgressIsLeftOut() throws Exception {
        JobDescription hasty = SampleJob.ofVms(2).every(Duration.ofSeconds(1)).description();
        try (PlayedJob job = PlayedJob.running(hasty, directory)) {
            job.shell().pass(Duration.ofSeconds(1));
            job.answer(Step.PREPARE, PlayedJob.A, PlayedJob.B);
            job.shell().pass(Duration.ofSeconds(1));
            job.shell().pass(Duration.ofSeconds(1));
            for (Step step : Step.CHECKPOINT_ORDER.subList(1, Step.CHECKPOINT_ORDER.size())) {
                job.answer(step, PlayedJob.A, PlayedJob.B);
            }
            Eventually.see("one checkpoint", () -> committed(job), List.of(1L)::equals);
            job.awaitPhase(JobPhase.RUNNING);
            job.shell().pass(Duration.ofSeconds(1));
            job.answerCheckpoint();
            Eventually.see("the next one", () -> committed(job), List.of(1L, 2L)::equals);
        }
    }

    @Test
    void intervalBeginsAgainWithARestart() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            job.shell().addCheckpoint(new CheckpointId(PlayedJob.ID, 1));
            job.shell().pass(INTERVAL.minusSeconds(1));
            job.loop().post(new JobEvent.AgentLost(PlayedJob.B));
            job.answer(Step.DESTROY, PlayedJob.A);
            for (var sent : job.awaitCommands(Step.RESTORE, PlayedJob.A, PlayedJob.C)) {
                job.loop()
                        .post(new JobEvent.Reported(
                                new Report.Done(sent.agent(), sent.command().key())));
            }
            job.answer(Step.RUN, PlayedJob.A, PlayedJob.C);
            job.answer(Step.THAW, PlayedJob.A, PlayedJob.C);
            job.awaitPhase(JobPhase.RUNNING);
            job.shell().pass(INTERVAL.minusSeconds(1));
            assertThat(job.shell().takeCommands()).isEmpty();
            job.shell().pass(Duration.ofSeconds(1));
            job.awaitCommands(Step.PREPARE, PlayedJob.A, PlayedJob.C);
        }
    }

    @Test
    void automaticIntervalFollowsFromWhatTheFirstCheckpointTook() throws Exception {
        var policy = new CheckpointPolicy(true, Duration.ofHours(6), 3, 0, 0, 0);
        JobDescription automatic = SampleJob.ofVms(2).with(policy).description();
        try (PlayedJob job = PlayedJob.running(automatic, directory)) {
            job.shell().pass(OptimalInterval.FIRST.minusMillis(1));
            assertThat(job.shell().takeCommands()).isEmpty();
            job.shell().pass(Duration.ofMillis(1));
            job.answerCheckpoint();
            job.awaitPhase(JobPhase.RUNNING);
            Eventually.see("old ones forgotten", () -> job.shell().log(), log -> log.contains("forget by " + policy));
            // Answered at once, it has cost nearly nothing.
            job.shell().pass(Duration.ofHours(6));
            job.answerCheckpoint();
            Eventually.see("two checkpoints", () -> committed(job), List.of(1L, 2L)::equals);
        }
    }

    @Test
    void endedJobIsLeftAlone() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            job.loop().post(new JobEvent.JobExited(job.incarnation(), 0));
            job.answer(Step.DESTROY, PlayedJob.A, PlayedJob.B);
            job.awaitPhase(JobPhase.ENDED);
            Eventually.see("no timers", () -> job.shell().timersSet(), count -> count == 0);
        }
    }
}
