package org.stillcut.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.RestartJobRequest;

/** A person restarts jobs from their checkpoints. */
@Timeout(180)
class RestartByHandIT extends CoordinatorFixture {
    @Test
    void endedJobIsRestartedByHandFromACheckpoint() throws Exception {
        String id = running();
        checkpoint(id);
        checkpoint(id);
        RestartJobRequest restart =
                RestartJobRequest.newBuilder().setReference(id + "@1").build();
        assertStatus(Status.Code.FAILED_PRECONDITION, () -> checkpoints().restartJob(restart));
        a.exit(incarnation(id, 1), 1);
        await(id, JobPhase.JOB_PHASE_ENDED);
        var response = checkpoints().restartJob(restart);
        assertThat(response.getSequence()).isEqualTo(1);
        assertThat(response.getJob().getEpoch()).isEqualTo(2);
        await(id, JobPhase.JOB_PHASE_RUNNING);
        assertThat(a.commands()).endsWith("STEP_RESTORE 2", "STEP_RUN 2", "STEP_THAW 2");
        assertThat(checkpoint(id)).isEqualTo(3);
    }

    @Test
    void jobOfAnotherCoordinatorIsRestartedFromTheRepository() throws Exception {
        String id = running();
        checkpoint(id);
        checkpoint(id);
        a.print(incarnation(id, 1), 0, "before\n");
        Eventually.see("acknowledged output", a::acknowledged, List.of(7L)::equals);
        a.exit(incarnation(id, 1), 1);
        await(id, JobPhase.JOB_PHASE_ENDED);
        closeCoordinator();

        openCoordinator(directory.resolve("other-state"));
        a.join(channel);
        b.join(channel);
        awaitNodes(2);
        var response = checkpoints()
                .restartJob(
                        RestartJobRequest.newBuilder().setReference(id + "@1").build());
        assertThat(response.getJob().getEpoch()).isEqualTo(2);
        await(id, JobPhase.JOB_PHASE_RUNNING);
        assertThat(a.commands()).endsWith("STEP_RESTORE 2", "STEP_RUN 2", "STEP_THAW 2");
        assertThat(checkpoint(id)).isEqualTo(3);
        // The guest sends what follows the acknowledged; the rest is with the other coordinator.
        a.print(incarnation(id, 2), 7, "after\n");
        Eventually.see("acknowledged output", a::acknowledged, acknowledged -> acknowledged.contains(13L));
        closeCoordinator();

        openCoordinator(directory.resolve("other-state"));
        a.join(channel);
        b.join(channel);
        assertThat(await(id, JobPhase.JOB_PHASE_RUNNING).getNewestCheckpoint()).isEqualTo(3);
        a.exit(incarnation(id, 2), 0);
        await(id, JobPhase.JOB_PHASE_ENDED);
        assertThat(watched(id, 0)).isEqualTo("after\n");
    }

    @Test
    void onlyTheRestartThatWasAskedForIsLazy() throws Exception {
        String id = running();
        checkpoint(id);
        a.exit(incarnation(id, 1), 1);
        await(id, JobPhase.JOB_PHASE_ENDED);
        RestartJobRequest.Builder restart = RestartJobRequest.newBuilder().setReference(id);
        long epoch =
                checkpoints().restartJob(restart.setLazy(true).build()).getJob().getEpoch();
        await(id, JobPhase.JOB_PHASE_RUNNING);
        assertThat(a.commands()).contains("STEP_RESTORE lazily " + epoch);
        a.exit(incarnation(id, epoch), 1);
        await(id, JobPhase.JOB_PHASE_ENDED);
        epoch = checkpoints()
                .restartJob(restart.setLazy(false).build())
                .getJob()
                .getEpoch();
        await(id, JobPhase.JOB_PHASE_RUNNING);
        assertThat(a.commands()).contains("STEP_RESTORE " + epoch);
    }
}
