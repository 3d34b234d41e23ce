package org.stillcut.agent.runtime;

import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import org.jspecify.annotations.Nullable;
import org.stillcut.agent.gang.Gang;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.agent.AgentProtocol;
import org.stillcut.protocol.agent.AgentState;

/** What the agent has of one job: where it stands, the VMs, the work under way. Belongs to the agent's loop. */
final class JobSeat {
    AgentState state;

    @Nullable
    Gang gang;

    /** The work performed last, perhaps over; the next one waits for it. */
    @Nullable
    Thread work;

    /** The work that failed last. Written by the work's thread, read by the next one's, which begins after its end. */
    @Nullable
    CommandKey failed;

    @Nullable
    ScheduledFuture<?> watchdog;

    JobSeat(AgentId agent, JobId job) {
        this.state = AgentProtocol.initial(agent, job);
    }

    Optional<Gang> gang() {
        return Optional.ofNullable(gang);
    }
}
