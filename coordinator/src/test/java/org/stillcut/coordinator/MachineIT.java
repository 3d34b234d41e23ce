package org.stillcut.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.StoreEnvironment;
import org.stillcut.v1.GetCheckpointRequest;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.JobSpec;
import org.stillcut.v1.RestartJobRequest;
import org.stillcut.v1.VmPlacement;

/** Nodes with different processors: jobs go where they can go on. */
@Timeout(120)
class MachineIT extends CoordinatorFixture {
    private static final String OLD = "pc-q35-7.2/Nehalem";
    private static final String NEW = "pc-q35-7.2/EPYC-Rome";

    private FakeAgent c;

    @BeforeEach
    void nodesThatSayWhatTheyHave() throws Exception {
        var repository = Repository.openCatalog(directory.resolve("repository"), StoreEnvironment.system());
        c = new FakeAgent("c", repository).offering(NEW, OLD);
        c.join(channel);
        new FakeAgent("d", repository).offering(OLD).join(channel);
        awaitNodes(4);
    }

    private static JobSpec oneVm(String... nodes) {
        JobSpec.Builder spec = spec().toBuilder().setVmCount(1);
        for (String node : nodes) {
            spec.addNodes(node);
        }
        return spec.build();
    }

    private String runningOn(String... nodes) throws Exception {
        String id = submit(part(oneVm(nodes)), part(new byte[] {1}));
        await(id, JobPhase.JOB_PHASE_RUNNING);
        return id;
    }

    @Test
    void jobGetsTheMachineThatAllItsNodesHave() throws Exception {
        String id = runningOn("c", "d");
        checkpoint(id);
        assertThat(checkpoints()
                        .getCheckpoint(GetCheckpointRequest.newBuilder()
                                .setReference(id)
                                .build())
                        .getSpec()
                        .getMachine())
                .isEqualTo(OLD);
    }

    @Test
    void restartOnANodeWithoutTheMachineIsRefusedAndChangesNothing() throws Exception {
        String id = runningOn("c");
        checkpoint(id);
        c.exit(incarnation(id, 1), 0);
        await(id, JobPhase.JOB_PHASE_ENDED);
        RestartJobRequest.Builder restart = RestartJobRequest.newBuilder().setReference(id);
        assertThatThrownBy(() -> checkpoints().restartJob(restart.addNodes("d").build()))
                .hasMessage("INVALID_ARGUMENT: the job cannot run: node d lacks machine " + NEW + ", it has " + OLD);
        assertThat(job(id).getPhase()).isEqualTo(JobPhase.JOB_PHASE_ENDED);
        checkpoints().restartJob(restart.clearNodes().addNodes("c").build());
        await(id, JobPhase.JOB_PHASE_RUNNING);
        assertThat(job(id).getPlacementList()).extracting(VmPlacement::getNode).containsExactly("c");
    }

    @Test
    void jobForNodesWithNothingInCommonIsRefused() throws Exception {
        var repository = Repository.openCatalog(directory.resolve("repository"), StoreEnvironment.system());
        new FakeAgent("e", repository).offering("pc-q35-7.2/max/tcg-7.2").join(channel);
        awaitNodes(5);
        assertThatThrownBy(() -> submit(part(oneVm("d", "e"))))
                .hasMessage("INVALID_ARGUMENT: the job cannot run: node e lacks machine " + OLD
                        + ", it has pc-q35-7.2/max/tcg-7.2");
    }
}
