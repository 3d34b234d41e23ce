package org.stillcut.protocol.simulation;

import java.util.SortedSet;
import org.stillcut.protocol.coordinator.JobEffect;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.JobState;
import org.stillcut.protocol.coordinator.Transition;

/** What holds for single transitions of the coordinator. */
final class Expectations {
    private Expectations() {}

    static void check(JobState before, JobEvent event, Transition transition, SortedSet<Long> awaited) {
        boolean stale = switch (event) {
            case JobEvent.DeadlinePassed(long token) -> !awaited.contains(token);
            case JobEvent.Watched(long token, var _) -> !awaited.contains(token);
            default -> false;
        };
        Violation.unless(
                !stale
                        || (transition.next().equals(before)
                                && transition.effects().isEmpty()
                                && transition.persistFirst().isEmpty()),
                "{} was cancelled, and led from {} to {}",
                event,
                before.describe(),
                transition.next().describe());
        long answers = transition.effects().stream()
                .filter(effect ->
                        effect instanceof JobEffect.CheckpointStarted || effect instanceof JobEffect.CheckpointRefused)
                .count();
        Violation.unless(
                answers == (event instanceof JobEvent.CheckpointRequested ? 1 : 0),
                "{} was answered {} times",
                event,
                answers);
    }
}
