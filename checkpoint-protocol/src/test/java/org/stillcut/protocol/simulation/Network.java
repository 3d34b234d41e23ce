package org.stillcut.protocol.simulation;

import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.agent.AgentEvent;
import org.stillcut.protocol.coordinator.JobEvent;

/**
 * Sessions between agents and the coordinator. One session keeps its order and loses nothing; when it breaks, whatever
 * is on the way is lost in both directions, and the next session begins with what the agent holds.
 */
final class Network {
    private static final int MAX_DELAY_MILLIS = 15;
    private static final int MAX_DUPLICATE_MILLIS = 100;
    private static final int RETRY_MILLIS = 60;

    private static final class Link {
        /** Changes with every break, so that what was on the way does not arrive. */
        long session;
        /** From the agent's side. */
        boolean connected;
        /** From the coordinator's side: the agent's first message has arrived. */
        boolean open;
        /** Whether the agent is about to try to connect. */
        boolean trying;

        long lastToAgentMillis;
        long lastToCoordinatorMillis;
        long cutUntilMillis;
    }

    private final Simulation simulation;
    private final SortedMap<AgentId, Link> links = new TreeMap<>();

    Network(Simulation simulation, SortedSet<AgentId> agents) {
        this.simulation = simulation;
        agents.forEach(agent -> {
            links.put(agent, new Link());
            tryLater(agent);
        });
    }

    boolean isOpen(AgentId agent) {
        return link(agent).open;
    }

    void toAgent(AgentId agent, Command command) {
        Link link = link(agent);
        if (!link.open) {
            return;
        }
        deliver(link, agent, command, arrivalMillis());
        if (simulation.chance().duplicate()) {
            deliver(link, agent, command, arrivalMillis() + simulation.chance().between(0, MAX_DUPLICATE_MILLIS));
        }
    }

    private void deliver(Link link, AgentId agent, Command command, long atMillis) {
        link.lastToAgentMillis = Math.max(link.lastToAgentMillis, atMillis);
        inSession(
                link,
                link.lastToAgentMillis,
                () -> simulation
                        .agent(agent)
                        .receive(command.incarnation().job(), new AgentEvent.CommandReceived(command)));
    }

    void toCoordinator(AgentId agent, JobId job, JobEvent event) {
        Link link = link(agent);
        if (link.connected) {
            link.lastToCoordinatorMillis = Math.max(link.lastToCoordinatorMillis, arrivalMillis());
            inSession(
                    link,
                    link.lastToCoordinatorMillis,
                    () -> simulation.coordinator().feed(job, event));
        }
    }

    /** The session breaks, if there is one, and the agent tries again at once. */
    void cut(AgentId agent) {
        Link link = link(agent);
        boolean wasOpen = link.open;
        link.session++;
        link.connected = false;
        link.open = false;
        tryLater(agent);
        if (wasOpen) {
            simulation.coordinator().sessionBroken(agent);
        }
    }

    /** As {@link #cut(AgentId)}, and no session is possible for a while. */
    void cutFor(AgentId agent, long millis) {
        link(agent).cutUntilMillis = simulation.agenda().nowMillis() + millis;
        cut(agent);
    }

    void cutAll() {
        links.keySet().forEach(this::cut);
    }

    private void tryLater(AgentId agent) {
        Link link = link(agent);
        if (!link.trying) {
            link.trying = true;
            simulation.agenda().in(simulation.chance().between(1, RETRY_MILLIS), () -> {
                link.trying = false;
                tryToConnect(agent);
            });
        }
    }

    private void tryToConnect(AgentId agent) {
        Link link = link(agent);
        boolean possible = simulation.agent(agent).isAlive()
                && simulation.coordinator().isAlive()
                && simulation.agenda().nowMillis() >= link.cutUntilMillis;
        if (!possible) {
            tryLater(agent);
            return;
        }
        link.connected = true;
        link.lastToAgentMillis = 0;
        link.lastToCoordinatorMillis = arrivalMillis();
        SortedMap<JobId, SortedSet<Incarnation>> held = new TreeMap<>();
        simulation.jobs().forEach(job -> held.put(job, simulation.agent(agent).held(job)));
        inSession(link, link.lastToCoordinatorMillis, () -> {
            link.open = true;
            simulation.coordinator().connected(agent, held);
        });
        simulation
                .jobs()
                .forEach(job ->
                        simulation.agent(agent).standingNews(job).forEach(news -> toCoordinator(agent, job, news)));
    }

    private void inSession(Link link, long atMillis, Runnable arrival) {
        long session = link.session;
        simulation.agenda().at(atMillis, () -> {
            if (link.session == session) {
                arrival.run();
            }
        });
    }

    private long arrivalMillis() {
        return simulation.agenda().nowMillis() + simulation.chance().between(1, MAX_DELAY_MILLIS);
    }

    private Link link(AgentId agent) {
        Link link = links.get(agent);
        if (link == null) {
            throw new IllegalArgumentException("no agent " + agent);
        }
        return link;
    }
}
