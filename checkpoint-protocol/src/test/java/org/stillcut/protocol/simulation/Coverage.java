package org.stillcut.protocol.simulation;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.agent.AgentEffect;
import org.stillcut.protocol.agent.AgentEvent;
import org.stillcut.protocol.agent.AgentState;
import org.stillcut.protocol.agent.AgentTransition;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.JobPhase;
import org.stillcut.protocol.coordinator.JobState;
import org.stillcut.protocol.coordinator.Transition;

/** Which kinds of transitions were seen, for the tables in {@code docs/protocol.md}. Events without effect are left out. */
final class Coverage {
    /** Hash sets are harmless here: they are only looked at sorted, and nothing in a simulation depends on them. */
    private record CoordinatorVisit(JobPhase before, Object event, JobPhase after) {}

    private record AgentVisit(Class<?> before, Object event, Class<?> after) {}

    private static final List<JobPhase> PHASES = List.of(JobPhase.values());

    private final Set<CoordinatorVisit> coordinator = new HashSet<>();
    private final Set<AgentVisit> agent = new HashSet<>();

    void coordinator(JobState before, JobEvent event, Transition transition) {
        if (transition.next().phase() != before.phase()
                || !transition.effects().isEmpty()
                || !transition.persistFirst().isEmpty()) {
            coordinator.add(new CoordinatorVisit(
                    before.phase(), kind(event), transition.next().phase()));
        }
    }

    void agent(AgentState before, AgentEvent event, AgentTransition transition) {
        boolean works = transition.effects().stream().anyMatch(AgentEffect.Perform.class::isInstance);
        if (works || transition.next().getClass() != before.getClass()) {
            agent.add(new AgentVisit(
                    before.getClass(), kind(event), transition.next().getClass()));
        }
    }

    void addAll(Coverage other) {
        coordinator.addAll(other.coordinator);
        agent.addAll(other.agent);
    }

    private static Object kind(JobEvent event) {
        return event instanceof JobEvent.Reported(Report report) ? report.getClass() : event.getClass();
    }

    private static Object kind(AgentEvent event) {
        return event instanceof AgentEvent.CommandReceived received
                ? received.command().step()
                : event.getClass();
    }

    /** From which state to which, for the arrows of the chart. */
    SortedSet<String> coordinatorMoves() {
        SortedSet<String> moves = new TreeSet<>();
        for (CoordinatorVisit visit : coordinator) {
            if (visit.before() != visit.after()) {
                moves.add(visit.before() + " --> " + visit.after());
            }
        }
        return moves;
    }

    String coordinatorTable() {
        SortedMap<String, SortedSet<String>> rows = new TreeMap<>();
        coordinator.forEach(visit -> rows.computeIfAbsent(
                        "%02d| %s | %s |"
                                .formatted(PHASES.indexOf(visit.before()), visit.before(), name(visit.event())),
                        _ -> new TreeSet<>())
                .add(visit.after().name()));
        return table(rows);
    }

    String agentTable() {
        SortedMap<String, SortedSet<String>> rows = new TreeMap<>();
        agent.forEach(visit -> rows.computeIfAbsent(
                        "%02d| %s | %s |".formatted(order(visit.before()), name(visit.before()), name(visit.event())),
                        _ -> new TreeSet<>())
                .add(name(visit.after())));
        return table(rows);
    }

    /** The sort key in front of a row is not part of the table. */
    private static String table(SortedMap<String, SortedSet<String>> rows) {
        StringBuilder text = new StringBuilder("| state | event | next |\n|---|---|---|\n");
        rows.forEach((row, next) -> text.append(row.substring(2))
                .append(' ')
                .append(String.join(", ", next))
                .append(" |\n"));
        return text.toString();
    }

    private static int order(Class<?> state) {
        return List.of(
                        AgentState.Vacant.class,
                        AgentState.Creating.class,
                        AgentState.Created.class,
                        AgentState.Launching.class,
                        AgentState.Active.class,
                        AgentState.Checkpointing.class,
                        AgentState.Undoing.class,
                        AgentState.Broken.class,
                        AgentState.Destroying.class)
                .indexOf(state);
    }

    private static String name(Object kind) {
        return kind instanceof Class<?> type ? type.getSimpleName() : kind.toString();
    }
}
