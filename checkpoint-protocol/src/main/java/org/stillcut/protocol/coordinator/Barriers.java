package org.stillcut.protocol.coordinator;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.protocol.Watch;
import org.stillcut.protocol.coordinator.JobEffect.CancelDeadline;
import org.stillcut.protocol.coordinator.JobEffect.Send;
import org.stillcut.protocol.coordinator.JobEffect.SetDeadline;
import org.stillcut.protocol.coordinator.JobEffect.WatchTraffic;
import org.stillcut.protocol.coordinator.JobState.Barrier;
import org.stillcut.protocol.traffic.Round;

/** What all barriers have in common: a step is commanded, has a deadline, and is answered. */
final class Barriers {
    private Barriers() {}

    /** Enters a barrier, or enters it again after a recovery: a new deadline, then the command to all awaited. */
    static Transition open(Barrier barrier) {
        Barrier opened = barrier.withJob(barrier.job().withNextDeadline());
        List<JobEffect> effects = new ArrayList<>();
        effects.add(new SetDeadline(opened.job().deadlineToken(), opened.step()));
        for (AgentId agent : opened.awaited()) {
            effects.addAll(commands(opened, agent));
        }
        return Transition.to(opened).then(effects);
    }

    /**
     * Enters the watch that follows a step all have done.
     *
     * @param looks what the agents have shown along with their answers
     */
    static Transition watch(Barrier done, Watch watch, CheckpointId checkpoint, SortedMap<VmId, VmTraffic> looks) {
        Barrier watching = done.withJob(done.job().withNextDeadline());
        Optional<Round> first = Optional.of(new Round(looks))
                .filter(round -> looks.keySet().equals(done.job().placement().vms()));
        return Transition.to(watching).then(new WatchTraffic(watching.job().deadlineToken(), watch, checkpoint, first));
    }

    /** The watch that is on. */
    static Optional<Watch> watching(Barrier barrier) {
        return Watch.after(barrier.step()).filter(_ -> barrier.awaited().isEmpty());
    }

    /** The watch that the event ends; a late event ends none. */
    static Optional<Watch> ended(Barrier barrier, JobEvent.Watched event) {
        return watching(barrier).filter(_ -> event.token() == barrier.job().deadlineToken());
    }

    /** Leaves a barrier for where the transition goes. */
    static Transition leave(Barrier barrier, Transition transition) {
        return transition.after(
                List.of(), List.of(new CancelDeadline(barrier.job().deadlineToken())));
    }

    /** What an agent is to be sent for a barrier that awaits it. */
    static List<? extends JobEffect> commands(Barrier barrier, AgentId agent) {
        if (barrier.step() == Step.DESTROY) {
            return Fencing.destroy(barrier.job(), agent);
        }
        Command command = Command.of(key(barrier), barrier.job().placement().vmsOf(agent));
        return List.of(new Send(agent, command));
    }

    /** The command again for an agent with a new session, if it is awaited. */
    static Transition sendAgain(Barrier barrier, AgentId agent) {
        Transition stay = Transition.to(barrier);
        return barrier.awaited().contains(agent) ? stay.then(commands(barrier, agent)) : stay;
    }

    /** Whether the report answers the barrier's present step. Late and repeated answers do not. */
    static boolean isAnswer(Barrier barrier, Report report) {
        return barrier.awaited().contains(report.agent()) && report.key().equals(key(barrier));
    }

    static boolean isDue(Barrier barrier, JobEvent.DeadlinePassed event) {
        return !barrier.awaited().isEmpty() && event.token() == barrier.job().deadlineToken();
    }

    private static CommandKey key(Barrier barrier) {
        return new CommandKey(barrier.job().incarnation(), barrier.step(), barrier.checkpoint());
    }
}
