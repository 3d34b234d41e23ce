package org.stillcut.protocol;

/** The name of an agent; as one agent serves one node, also the name of the node. */
public record AgentId(String value) implements Comparable<AgentId> {
    public AgentId {
        if (value.isBlank()) {
            throw new IllegalArgumentException("an agent id must not be blank");
        }
    }

    @Override
    public int compareTo(AgentId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
