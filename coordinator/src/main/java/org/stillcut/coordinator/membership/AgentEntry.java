package org.stillcut.coordinator.membership;

import java.util.Optional;

/**
 * Where agents come in: who may join, and where they are kept then. Immutable; the registry is thread-safe.
 *
 * @param repository identity of the repository that the coordinator commits to; an agent that writes its snapshots to
 *     another one could not take part in any checkpoint
 */
public record AgentEntry(AgentRegistry registry, String repository) {

    /** Why this agent cannot join, in one line; empty: it can. */
    public Optional<String> objection(NodeProfile profile) {
        // An agent of the version before did not say; it is served as it was then.
        if (profile.repository().isEmpty() || profile.repository().equals(repository)) {
            return Optional.empty();
        }
        return Optional.of("node " + profile.agent() + " writes to repository " + profile.repository()
                + ", the coordinator to " + repository + ": give both the same --repository directory");
    }
}
