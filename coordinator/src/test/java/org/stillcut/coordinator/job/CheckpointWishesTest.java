package org.stillcut.coordinator.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.coordinator.Eventually;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.catalog.SampleJob;
import org.stillcut.coordinator.membership.Wish;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.JobPhase;

class CheckpointWishesTest {
    private final JobDescription description = SampleJob.ofVms(2).description();

    @TempDir
    private Path directory;

    private static Wish wish(PlayedJob job, int vm, long number) {
        return new Wish(PlayedJob.A, job.incarnation(), new VmId(vm), number);
    }

    private static List<String> answers(PlayedJob job) {
        return job.shell().log().stream()
                .filter(line -> line.startsWith("wish"))
                .toList();
    }

    @Test
    void wishesThatAreThereTogetherAreFulfilledByOneCheckpoint() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            job.loop().wish(wish(job, 0, 7));
            job.awaitCommands(Step.PREPARE, PlayedJob.A, PlayedJob.B);
            // Repeated, as after a broken session; and one that came when the checkpoint had begun.
            job.loop().wish(wish(job, 0, 7));
            job.loop().wish(wish(job, 1, 8));
            job.loop().post(new JobEvent.StopRequested("enough"));
            job.answer(Step.DESTROY, PlayedJob.A, PlayedJob.B);
            Eventually.see("answers", () -> answers(job), lines -> lines.size() == 2);
            assertThat(answers(job).getFirst()).isEqualTo("wish 7 of vm0: FAILED the job ended first");
            assertThat(answers(job).getLast()).isEqualTo("wish 8 of vm1: UNAVAILABLE the job is over");
        }
    }

    @Test
    void wishDuringACheckpointGetsTheNextOne() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            var other = job.loop().requestCheckpoint();
            job.answer(Step.PREPARE, PlayedJob.A, PlayedJob.B);
            job.loop().wish(wish(job, 0, 1));
            for (Step step : Step.CHECKPOINT_ORDER.subList(1, Step.CHECKPOINT_ORDER.size())) {
                job.answer(step, PlayedJob.A, PlayedJob.B);
            }
            assertThat(other.get()).isNotNull();
            job.answerCheckpoint();
            Eventually.see(
                    "the answer",
                    () -> answers(job),
                    lines -> lines.equals(List.of("wish 1 of vm0: COMMITTED solver-0001@2")));
        }
    }

    @Test
    void wishOfAnIncarnationThatIsOverIsForgotten() throws Exception {
        try (PlayedJob job = PlayedJob.running(description, directory)) {
            job.loop().wish(new Wish(PlayedJob.A, new Incarnation(PlayedJob.ID, 9), new VmId(0), 1));
            job.awaitPhase(JobPhase.RUNNING);
            assertThat(job.shell().takeCommands()).isEmpty();
        }
    }
}
