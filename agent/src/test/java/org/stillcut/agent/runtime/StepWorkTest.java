package org.stillcut.agent.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.agent.AgentEvent;

class StepWorkTest {

    @ParameterizedTest
    @EnumSource
    void eachStepIsThatStepOfTheGang(Step step) throws Exception {
        Incarnation incarnation = new Incarnation(new JobId("j"), 1);
        Optional<CheckpointId> checkpoint =
                step.namesCheckpoint() ? Optional.of(new CheckpointId(incarnation.job(), 8)) : Optional.empty();
        FakeGang gang = new FakeGang(incarnation);
        AgentEvent.WorkDone done = StepWork.perform(gang, new CommandKey(incarnation, step, checkpoint));
        assertThat(gang.done()).endsWith("+" + step, "-" + step);
        assertThat(done.snapshots()).hasSize(step == Step.PERSIST ? 1 : 0);
        assertThat(done.looks()).hasSize(step.showsTraffic() ? 1 : 0);
    }
}
