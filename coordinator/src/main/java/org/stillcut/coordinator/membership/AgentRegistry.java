package org.stillcut.coordinator.membership;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Incarnation;

/**
 * All agents that have joined since this coordinator started. An agent is lost when nothing was heard of it for longer than
 * the time-out; a broken session alone is not a loss, as the agent may be back before.
 *
 * <p>Thread-safe. The listener is called without the lock, in the order of the changes of one agent.
 */
public final class AgentRegistry {
    private static final Logger log = LoggerFactory.getLogger(AgentRegistry.class);

    private final NavigableMap<AgentId, Member> members = new TreeMap<>();
    private final NavigableMap<AgentId, Instant> expected = new TreeMap<>();
    private final InstantSource clock;
    private final Duration timeout;
    private final MembershipListener listener;
    private Instant lastLook;

    public AgentRegistry(InstantSource clock, Duration timeout, MembershipListener listener) {
        this.clock = clock;
        this.timeout = timeout;
        this.listener = listener;
        this.lastLook = clock.instant();
    }

    /** Says that an agent has work from an earlier coordinator: it is lost unless it joins within the time-out. */
    public synchronized void expect(AgentId agent) {
        if (!members.containsKey(agent)) {
            expected.putIfAbsent(agent, clock.instant());
        }
    }

    /** How often agents should let hear of them. */
    public Duration heartbeat() {
        return timeout.dividedBy(6);
    }

    /**
     * Takes an agent in.
     *
     * @return false when an agent of that name has a working session
     */
    public boolean join(NodeProfile profile, SortedSet<Incarnation> held, AgentLink link) {
        synchronized (this) {
            Member known = members.get(profile.agent());
            if (known != null && known.link != null) {
                return false;
            }
            expected.remove(profile.agent());
            members.put(profile.agent(), new Member(profile, link, clock.instant()));
        }
        log.info("agent {} joined, holding {}", profile.agent(), held);
        listener.agentConnected(profile.agent(), held);
        return true;
    }

    /** Something was heard of an agent. */
    public synchronized void heard(AgentId agent) {
        Member member = members.get(agent);
        if (member != null) {
            member.lastHeard = clock.instant();
        }
    }

    /** A session has ended, for whatever reason. One that was replaced before changes nothing. */
    public synchronized void left(AgentId agent, AgentLink link) {
        Member member = members.get(agent);
        if (member != null && link.equals(member.link)) {
            log.warn("session of agent {} is broken", agent);
            member.link = null;
        }
    }

    /** Gives up the agents that were silent for too long. To be called several times within the time-out. */
    public void expire() {
        List<AgentId> lost = new ArrayList<>();
        List<AgentLink> dead = new ArrayList<>();
        synchronized (this) {
            Instant now = clock.instant();
            boolean awake = Duration.between(lastLook, now).abs().compareTo(timeout.dividedBy(2)) < 0;
            lastLook = now;
            if (!awake) {
                // This process slept, or the clock was set: that nobody was heard says nothing about the agents.
                members.values().forEach(member -> member.lastHeard = now);
                expected.replaceAll((_, _) -> now);
                return;
            }
            Instant oldest = now.minus(timeout);
            expected.forEach((agent, since) -> {
                if (since.isBefore(oldest)) {
                    lost.add(agent);
                }
            });
            lost.forEach(expected::remove);
            members.forEach((agent, member) -> {
                if (!member.lost && member.lastHeard.isBefore(oldest)) {
                    member.lost = true;
                    lost.add(agent);
                    if (member.link != null) {
                        dead.add(member.link);
                        member.link = null;
                    }
                }
            });
        }
        dead.forEach(link -> link.close("nothing heard for " + timeout.toMillis() + " ms"));
        for (AgentId agent : lost) {
            log.warn("agent {} is lost: nothing heard for {} ms", agent, timeout.toMillis());
            listener.agentLost(agent);
        }
    }

    /** The way to an agent, if it is connected. */
    public synchronized Optional<AgentLink> link(AgentId agent) {
        Member member = members.get(agent);
        return member == null ? Optional.empty() : Optional.ofNullable(member.link);
    }

    public synchronized Optional<NodeProfile> profile(AgentId agent) {
        return Optional.ofNullable(members.get(agent)).map(member -> member.profile);
    }

    /** All nodes, by name. */
    public synchronized List<NodeStatus> nodes() {
        return members.values().stream()
                .map(member -> new NodeStatus(member.profile, member.state(), member.lastHeard))
                .toList();
    }

    private static final class Member {
        private final NodeProfile profile;
        private @Nullable AgentLink link;
        private Instant lastHeard;
        private boolean lost;

        Member(NodeProfile profile, AgentLink link, Instant now) {
            this.profile = profile;
            this.link = link;
            this.lastHeard = now;
        }

        NodeStatus.State state() {
            if (lost) {
                return NodeStatus.State.LOST;
            }
            return link == null ? NodeStatus.State.SILENT : NodeStatus.State.UP;
        }
    }
}
