package org.stillcut.coordinator.membership;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.protocol.AgentId;

/** Where agents come in: who may join, and where they are kept then. Thread-safe. */
public final class AgentEntry {
    private static final Logger log = LoggerFactory.getLogger(AgentEntry.class);

    /** More than any cluster has; whoever makes up names gets their refusals logged again. */
    private static final int MOST_REMEMBERED = 10_000;

    private final AgentRegistry registry;
    private final String repository;
    private final Map<AgentId, String> refused = new ConcurrentHashMap<>();

    /**
     * Lets agents in that fit.
     *
     * @param repository identity of the repository that the coordinator commits to; an agent that writes its snapshots to
     *     another one could not take part in any checkpoint
     */
    public AgentEntry(AgentRegistry registry, String repository) {
        this.registry = registry;
        this.repository = repository;
    }

    public AgentRegistry registry() {
        return registry;
    }

    /** Why this agent cannot join, in one line; empty: it can. Logged once, though the agent asks twice a second. */
    public Optional<String> objection(NodeProfile profile) {
        AgentId agent = profile.agent();
        // An agent of the version before did not say; it is served as it was then.
        if (profile.repository().isEmpty() || profile.repository().equals(repository)) {
            String before = refused.remove(agent);
            log.debug("agent {} may join; refused before: {}", agent, before);
            return Optional.empty();
        }
        return Optional.of(refuse(
                agent,
                "node " + agent + " writes to repository " + profile.repository() + ", the coordinator to " + repository
                        + ": give both the same --repository directory"));
    }

    /** Logs, once, that an agent is refused; returns the reason. */
    public String refuse(AgentId agent, String reason) {
        if (refused.size() >= MOST_REMEMBERED) {
            refused.clear();
        }
        if (!reason.equals(refused.put(agent, reason))) {
            log.warn("agent {} is refused: {}", agent, reason);
        }
        return reason;
    }
}
