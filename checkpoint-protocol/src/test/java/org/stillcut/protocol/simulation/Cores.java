package org.stillcut.protocol.simulation;

import java.util.List;
import java.util.Optional;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.agent.AgentEvent;
import org.stillcut.protocol.agent.AgentProtocol;
import org.stillcut.protocol.agent.AgentState;
import org.stillcut.protocol.agent.AgentTransition;
import org.stillcut.protocol.coordinator.CoordinatorProtocol;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.JobRecord;
import org.stillcut.protocol.coordinator.JobState;
import org.stillcut.protocol.coordinator.Transition;

/** The state machines under test. {@link PlantedBug} wraps them to show that the simulation would find a mistake. */
interface Cores {
    /** The real ones. */
    Cores REAL = new Cores() {};

    default Transition coordinator(JobState state, JobEvent event) {
        return CoordinatorProtocol.step(state, event);
    }

    default JobState recover(List<JobRecord> records, Optional<CheckpointId> newestCommitted) {
        return CoordinatorProtocol.recover(records, newestCommitted);
    }

    default AgentTransition agent(AgentState state, AgentEvent event) {
        return AgentProtocol.step(state, event);
    }
}
