package org.stillcut.agent.runtime;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ScheduledFuture;
import org.jspecify.annotations.Nullable;
import org.stillcut.agent.gang.GangSteps;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.agent.AgentProtocol;
import org.stillcut.protocol.agent.AgentState;

/** What the agent has of one job: where it stands, the VMs, the work under way. Belongs to the agent's loop. */
final class JobSeat {
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);

    /** Up to 12.8 s. */
    private static final int PAUSE_DOUBLINGS = 7;

    AgentState state;

    @Nullable
    GangSteps gang;

    /** The work performed last, perhaps over; the next one waits for it. */
    @Nullable
    Thread work;

    @Nullable
    ScheduledFuture<?> watchdog;

    /** How often the present gang's destruction was begun. */
    int destroyTries;

    JobSeat(AgentId agent, JobId job) {
        this.state = AgentProtocol.initial(agent, job);
    }

    /** What cannot be destroyed now is tried again after growing pauses. */
    Duration pauseBeforeDestroy() {
        int earlier = destroyTries++;
        if (earlier == 0) {
            return Duration.ZERO;
        }
        return FIRST_PAUSE.multipliedBy(1L << Math.min(earlier - 1, PAUSE_DOUBLINGS));
    }

    Optional<GangSteps> gang() {
        return Optional.ofNullable(gang);
    }
}
