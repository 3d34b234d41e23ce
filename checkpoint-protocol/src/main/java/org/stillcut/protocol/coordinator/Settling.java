package org.stillcut.protocol.coordinator;

import java.util.List;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointSettled;
import org.stillcut.protocol.coordinator.JobEffect.Outcome;
import org.stillcut.protocol.coordinator.JobRecord.CheckpointAborted;
import org.stillcut.protocol.coordinator.JobRecord.CheckpointCommitted;

/** The fate of a checkpoint is recorded and told before what follows from it. */
final class Settling {
    private Settling() {}

    static Transition committed(CheckpointId id, Transition then) {
        return then.after(
                List.of(new CheckpointCommitted(id)), List.of(new CheckpointSettled(id, new Outcome.Committed())));
    }

    static Transition aborted(CheckpointId id, CheckpointFailure failure, Transition then) {
        JobState settled = then.next().withJob(then.next().job().settled());
        return new Transition(settled, then.persistFirst(), then.effects())
                .after(
                        List.of(new CheckpointAborted(id, failure)),
                        List.of(new CheckpointSettled(id, new Outcome.Aborted(failure))));
    }
}
